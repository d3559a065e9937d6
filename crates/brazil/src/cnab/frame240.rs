//! CNAB 240: headers and trailers.
//! Source: FEBRABAN, CNAB 240 V10.6 (2020-03-16). Positions from 1, ends included.

use super::layout::columns;

columns! {
    /// File header, type 0.
    file_header {
        BANK 1 3 Number,
        LOT 4 7 Number = "0000",
        RECORD_TYPE 8 8 Number = "0",
        RESERVED_1 9 17 Text,
        COMPANY_ID_TYPE 18 18 Number,
        COMPANY_ID 19 32 Number,
        AGREEMENT 33 52 Text,
        AGENCY 53 57 Number,
        AGENCY_DIGIT 58 58 Text,
        ACCOUNT 59 70 Number,
        ACCOUNT_DIGIT 71 71 Text,
        AGENCY_ACCOUNT_DIGIT 72 72 Text,
        COMPANY_NAME 73 102 Text,
        BANK_NAME 103 132 Text,
        RESERVED_2 133 142 Text,
        DIRECTION 143 143 Number,
        CREATED_ON 144 151 Number,
        CREATED_AT 152 157 Number,
        SEQUENCE 158 163 Number,
        LAYOUT_VERSION 164 166 Number = "103",
        DENSITY 167 171 Number,
        BANK_USE 172 191 Text,
        COMPANY_USE 192 211 Text,
        RESERVED_3 212 240 Text,
    }
}

columns! {
    /// Lot header, type 1.
    lot_header {
        BANK 1 3 Number,
        LOT 4 7 Number,
        RECORD_TYPE 8 8 Number = "1",
        OPERATION 9 9 Text,
        SERVICE 10 11 Number = "01",
        RESERVED_1 12 13 Text,
        LAYOUT_VERSION 14 16 Number = "060",
        RESERVED_2 17 17 Text,
        COMPANY_ID_TYPE 18 18 Number,
        COMPANY_ID 19 33 Number,
        AGREEMENT 34 53 Text,
        AGENCY 54 58 Number,
        AGENCY_DIGIT 59 59 Text,
        ACCOUNT 60 71 Number,
        ACCOUNT_DIGIT 72 72 Text,
        AGENCY_ACCOUNT_DIGIT 73 73 Text,
        COMPANY_NAME 74 103 Text,
        MESSAGE_1 104 143 Text,
        MESSAGE_2 144 183 Text,
        SEQUENCE 184 191 Number,
        CREATED_ON 192 199 Number,
        CREDIT_ON 200 207 Number,
        RESERVED_3 208 240 Text,
    }
}

columns! {
    /// Lot trailer, type 5.
    lot_trailer {
        BANK 1 3 Number,
        LOT 4 7 Number,
        RECORD_TYPE 8 8 Number = "5",
        RESERVED_1 9 17 Text,
        RECORDS 18 23 Number,
        SIMPLE_COUNT 24 29 Number,
        SIMPLE_TOTAL 30 46 Cents,
        LINKED_COUNT 47 52 Number,
        LINKED_TOTAL 53 69 Cents,
        PLEDGED_COUNT 70 75 Number,
        PLEDGED_TOTAL 76 92 Cents,
        DISCOUNTED_COUNT 93 98 Number,
        DISCOUNTED_TOTAL 99 115 Cents,
        NOTICE 116 123 Text,
        RESERVED_2 124 240 Text,
    }
}

columns! {
    /// File trailer, type 9.
    file_trailer {
        BANK 1 3 Number,
        LOT 4 7 Number = "9999",
        RECORD_TYPE 8 8 Number = "9",
        RESERVED_1 9 17 Text,
        LOTS 18 23 Number,
        RECORDS 24 29 Number,
        ACCOUNTS 30 35 Number,
        RESERVED_2 36 240 Text,
    }
}
