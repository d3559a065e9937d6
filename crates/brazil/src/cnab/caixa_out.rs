//! Caixa's CNAB 240 remittance (SIGCB, beneficiaries of six digits), where it is not FEBRABAN's.
//! Source: Caixa, SIGCB, leiaute CNAB 240, as the libraries ACBr and brcobranca write it, which agree.

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
        ZEROS_1 33 52 Number,
        AGENCY 53 57 Number,
        AGENCY_DIGIT 58 58 Text,
        BENEFICIARY 59 64 Number,
        ZEROS_2 65 72 Number,
        COMPANY_NAME 73 102 Text,
        BANK_NAME 103 132 Text,
        RESERVED_2 133 142 Text,
        DIRECTION 143 143 Number,
        CREATED_ON 144 151 Number,
        CREATED_AT 152 157 Number,
        SEQUENCE 158 163 Number,
        LAYOUT_VERSION 164 166 Number = "050",
        DENSITY 167 171 Number,
        BANK_USE 172 191 Text,
        SITUATION 192 211 Text = "REMESSA-PRODUCAO",
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
        ZEROS_1 12 13 Number,
        LAYOUT_VERSION 14 16 Number = "030",
        RESERVED_1 17 17 Text,
        COMPANY_ID_TYPE 18 18 Number,
        COMPANY_ID 19 33 Number,
        AGREEMENT 34 39 Number,
        ZEROS_2 40 53 Number,
        AGENCY 54 58 Number,
        AGENCY_DIGIT 59 59 Text,
        BENEFICIARY 60 65 Number,
        ZEROS_3 66 73 Number,
        COMPANY_NAME 74 103 Text,
        MESSAGE_1 104 143 Text,
        MESSAGE_2 144 183 Text,
        SEQUENCE 184 191 Number,
        CREATED_ON 192 199 Number,
        CREDIT_ON 200 207 Number,
        RESERVED_2 208 240 Text,
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
        AGENCY 18 22 Number,
        AGENCY_DIGIT 23 23 Text,
        BENEFICIARY 24 29 Number,
        ZEROS_1 30 40 Number,
        NOSSO_NUMERO 41 57 Number,
        WALLET 58 58 Number,
        REGISTRATION 59 59 Number,
        DOCUMENT_KIND 60 60 Text,
        ISSUER 61 61 Number,
        DISTRIBUTION 62 62 Text,
        DOCUMENT 63 73 Text,
        RESERVED_2 74 77 Text,
        DUE 78 85 Number,
        NOMINAL 86 100 Cents,
        COLLECTING_AGENCY 101 105 Number,
        COLLECTING_AGENCY_DIGIT 106 106 Number,
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
        WRITE_OFF_DAYS 225 227 Text,
        CURRENCY 228 229 Number,
        ZEROS_2 230 239 Number,
        FREE_USE 240 240 Text,
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
        ZEROS 47 92 Number,
        RESERVED_2 93 240 Text,
    }
}
