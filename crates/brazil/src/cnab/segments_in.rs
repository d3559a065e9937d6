//! CNAB 240: the segments that come in.
//! Source: FEBRABAN, CNAB 240 V10.6 (2020-03-16). Positions from 1, ends included.

use super::layout::columns;

columns! {
    /// Segment T: the title, in.
    segment_t {
        BANK 1 3 Number,
        LOT 4 7 Number,
        RECORD_TYPE 8 8 Number = "3",
        SEQUENCE 9 13 Number,
        SEGMENT 14 14 Text = "T",
        RESERVED_1 15 15 Text,
        MOVEMENT 16 17 Number,
        AGENCY 18 22 Number,
        AGENCY_DIGIT 23 23 Number,
        ACCOUNT 24 35 Number,
        ACCOUNT_DIGIT 36 36 Number,
        AGENCY_ACCOUNT_DIGIT 37 37 Number,
        NOSSO_NUMERO 38 57 Text,
        WALLET 58 58 Number,
        DOCUMENT 59 73 Text,
        DUE 74 81 Number,
        NOMINAL 82 96 Cents,
        COLLECTING_BANK 97 99 Number,
        COLLECTING_AGENCY 100 104 Number,
        COLLECTING_AGENCY_DIGIT 105 105 Number,
        COMPANY_USE 106 130 Text,
        CURRENCY 131 132 Number,
        PAYER_ID_TYPE 133 133 Number,
        PAYER_ID 134 148 Number,
        PAYER_NAME 149 188 Text,
        CONTRACT 189 198 Number,
        FEE 199 213 Cents,
        REASONS 214 223 Text,
        RESERVED_2 224 240 Text,
    }
}

columns! {
    /// Segment U: the amounts, in.
    segment_u {
        BANK 1 3 Number,
        LOT 4 7 Number,
        RECORD_TYPE 8 8 Number = "3",
        SEQUENCE 9 13 Number,
        SEGMENT 14 14 Text = "U",
        RESERVED_1 15 15 Text,
        MOVEMENT 16 17 Number,
        ADDITIONS 18 32 Cents,
        DISCOUNT 33 47 Cents,
        ABATEMENT 48 62 Cents,
        IOF 63 77 Cents,
        PAID 78 92 Cents,
        NET 93 107 Cents,
        OTHER_EXPENSES 108 122 Cents,
        OTHER_CREDITS 123 137 Cents,
        EVENT_ON 138 145 Number,
        CREDIT_ON 146 153 Number,
        PAYER_EVENT 154 157 Text,
        PAYER_EVENT_ON 158 165 Text,
        PAYER_EVENT_AMOUNT 166 180 Cents,
        PAYER_EVENT_NOTE 181 210 Text,
        CORRESPONDENT_BANK 211 213 Number,
        CORRESPONDENT_NUMBER 214 233 Number,
        RESERVED_2 234 240 Text,
    }
}
