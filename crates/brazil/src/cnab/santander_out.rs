//! Santander's CNAB 240 remittance, where it is not FEBRABAN's.
//! Source: Santander, layout de cobrança CNAB 240 H7815; segment P as the libraries laravel-boleto and brcobranca write it, which agree.

use super::layout::columns;

columns! {
    /// File header, type 0.
    file_header {
        BANK 1 3 Number,
        LOT 4 7 Number = "0000",
        RECORD_TYPE 8 8 Number = "0",
        RESERVED_1 9 16 Text,
        COMPANY_ID_TYPE 17 17 Number,
        COMPANY_ID 18 32 Number,
        TRANSMISSION 33 47 Number,
        RESERVED_2 48 72 Text,
        COMPANY_NAME 73 102 Text,
        BANK_NAME 103 132 Text,
        RESERVED_3 133 142 Text,
        DIRECTION 143 143 Number,
        CREATED_ON 144 151 Number,
        RESERVED_4 152 157 Text,
        SEQUENCE 158 163 Number,
        LAYOUT_VERSION 164 166 Number = "040",
        RESERVED_5 167 240 Text,
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
        LAYOUT_VERSION 14 16 Number = "030",
        RESERVED_2 17 17 Text,
        COMPANY_ID_TYPE 18 18 Number,
        COMPANY_ID 19 33 Number,
        RESERVED_3 34 53 Text,
        TRANSMISSION 54 68 Number,
        RESERVED_4 69 73 Text,
        COMPANY_NAME 74 103 Text,
        MESSAGE_1 104 143 Text,
        MESSAGE_2 144 183 Text,
        SEQUENCE 184 191 Number,
        CREATED_ON 192 199 Number,
        RESERVED_5 200 240 Text,
    }
}

columns! {
    /// Segment P: the title.
    segment_p {
        BANK 1 3 Number,
        LOT 4 7 Number,
        RECORD_TYPE 8 8 Number = "3",
        SEQUENCE 9 13 Number,
        SEGMENT 14 14 Text = "P",
        RESERVED_1 15 15 Text,
        MOVEMENT 16 17 Number,
        AGENCY 18 21 Number,
        AGENCY_DIGIT 22 22 Number,
        ACCOUNT 23 31 Number,
        ACCOUNT_DIGIT 32 32 Number,
        COLLECTION_ACCOUNT 33 41 Number,
        COLLECTION_ACCOUNT_DIGIT 42 42 Number,
        RESERVED_2 43 44 Text,
        NOSSO_NUMERO 45 57 Number,
        WALLET 58 58 Number,
        REGISTRATION 59 59 Number,
        DOCUMENT_KIND 60 60 Text,
        RESERVED_3 61 62 Text,
        DOCUMENT 63 77 Text,
        DUE 78 85 Number,
        NOMINAL 86 100 Cents,
        COLLECTING_AGENCY 101 105 Number,
        RESERVED_4 106 106 Text,
        SPECIES 107 108 Number,
        ACCEPTANCE 109 109 Text,
        ISSUED_ON 110 117 Number,
        INTEREST_CODE 118 118 Number,
        INTEREST_ON 119 126 Number,
        INTEREST 127 141 Cents,
        DISCOUNT_1_CODE 142 142 Number,
        DISCOUNT_1_ON 143 150 Number,
        DISCOUNT_1 151 165 Cents,
        IOF 166 180 Cents,
        ABATEMENT 181 195 Cents,
        COMPANY_USE 196 220 Text,
        PROTEST_CODE 221 221 Number,
        PROTEST_DAYS 222 223 Number,
        WRITE_OFF_CODE 224 224 Number,
        ZERO 225 225 Number,
        WRITE_OFF_DAYS 226 227 Number,
        CURRENCY 228 229 Number,
        RESERVED_5 230 240 Text,
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
        RESERVED_2 24 240 Text,
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
        RESERVED_2 30 240 Text,
    }
}
