//! Bad input, one table per call: what is wrong, the field as it is sent, code, reason and field of the refusal.
//!
//! In a value `<65 x>` is the letter 65 times, `<bell>` a control character, `<empty>` nothing. Nothing refused leaves an event.

use crate::{
    script::{customer, fresh, new_invoice, new_payment, play},
    site::{Site, told},
};
use contracts::invoice::v1 as proto;

const WORLD: &str = "
    register A
    register B
    register GONE
    issue I1 A 1000 on=2026-03-01 due=2026-03-20
    issue VOID A 1000 on=2026-03-01 due=2026-03-20
    issue USD A 1000 on=2026-03-01 due=2026-03-20 currency=USD
    issue B1 B 1000 on=2026-03-01 due=2026-03-20
    pay P1 I1 100
    pay BACK I1 100
    pay PB B1 100
    cancel VOID
    reverse BACK
    erase GONE";

fn value(text: &str) -> String {
    let Some((before, rest)) = text.split_once('<') else { return text.to_owned() };
    let (mark, after) = rest.split_once('>').unwrap();
    let inner = match mark.split_once(' ') {
        Some((count, letter)) => letter.repeat(count.parse().unwrap()),
        None if mark == "bell" => "\u{7}".to_owned(),
        None if mark == "turn" => "\u{202e}".to_owned(),
        None if mark == "unseen" => "\u{200b}".to_owned(),
        None if mark == "empty" => String::new(),
        None => panic!("{mark} is no mark"),
    };
    format!("{before}{inner}{after}")
}

/// Rows of `what | field=value, field=value | Code reason field`.
fn rows(table: &str) -> impl Iterator<Item = (&str, Vec<(&str, String)>, &str)> {
    table.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [what, changes, expected] = cells[..] else { panic!("{line}: not three cells") };
        let changes = changes.split(", ").filter_map(|change| change.split_once('='));
        (what, changes.map(|(field, text)| (field, value(text))).collect(), expected)
    })
}

/// Sends every row of a table: a good request with the row's changes.
macro_rules! refuses {
    ($call:ident, $good:expr, $set:expr, $table:expr) => {
        for site in Site::every().await {
            play(&site, WORLD).await;
            let before = site.events().await.len();
            for (what, changes, expected) in rows($table) {
                let mut request = $good;
                for (field, text) in &changes {
                    $set(&mut request, *field, text.clone());
                }
                let got = told(&site.client.clone().$call(request).await);
                assert_eq!(got, expected, "{}: {what}", site.database);
            }
            assert_eq!(site.transcript(before).await, [""; 0], "{}: a refusal left an event", site.database);
            let db = site.service().environment().db.clone();
            let rows = db.query("SELECT * FROM customer_contact WHERE name <> ''", &[]).await.unwrap();
            assert!(rows.is_empty(), "{}: a refusal left contact data", site.database);
        }
    };
}

fn unknown(field: &str) -> ! {
    panic!("{field} is no field of this table")
}

fn spoil_registration(request: &mut proto::RegisterCustomerRequest, field: &str, text: String) {
    if field == "customer" {
        request.customer = None;
        return;
    }
    let customer = request.customer.as_mut().unwrap();
    let attributes = customer.attributes.get_or_insert_default();
    match field {
        "command_id" => request.command_id = text,
        "customer_id" => customer.customer_id = text,
        "name" => customer.name = text,
        "tax_id" => customer.tax_id = text,
        "email" => customer.email = text,
        "phone" => customer.phones.push(text),
        "phones" => customer.phones = vec!["11987654321".to_owned(); text.parse().unwrap()],
        "address" => customer.address = text,
        "consent" => customer.consents.push(text),
        "segment" => attributes.segment = text,
        "language" => attributes.language = text,
        "zone" => attributes.time_zone = text,
        "state" => attributes.state = text,
        "municipality" => attributes.municipality = text,
        other => unknown(other),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_registrations_are_refused() {
    let good = || proto::RegisterCustomerRequest { command_id: fresh(), customer: Some(customer("NEW")) };
    refuses!(
        register_customer,
        good(),
        spoil_registration,
        "
        no key | command_id=<empty> | InvalidArgument command_id_malformed command_id
        long key | command_id=<65 x> | InvalidArgument command_id_malformed command_id
        key with blank | command_id=a b | InvalidArgument command_id_malformed command_id
        no customer | customer=- | InvalidArgument missing customer
        no id | customer_id=<empty> | InvalidArgument id_malformed customer.customer_id
        long id | customer_id=<65 x> | InvalidArgument id_malformed customer.customer_id
        id with accent | customer_id=José | InvalidArgument id_malformed customer.customer_id
        id with control | customer_id=a<bell> | InvalidArgument id_malformed customer.customer_id
        long name | name=<121 ã> | InvalidArgument text_refused customer.name
        control in name | name=Ana<bell> | InvalidArgument text_refused customer.name
        short tax id | tax_id=123, name=Ana | InvalidArgument tax_id_malformed customer.tax_id
        wrong check digit | tax_id=529.982.247-26, name=Ana | InvalidArgument tax_id_malformed customer.tax_id
        huge tax id | tax_id=<5000 9> | InvalidArgument tax_id_malformed customer.tax_id
        e-mail without at | email=ana.example.com, name=Ana | InvalidArgument email_malformed customer.email
        e-mail without domain | email=ana@ | InvalidArgument email_malformed customer.email
        e-mail without dot | email=ana@localhost | InvalidArgument email_malformed customer.email
        e-mail with two ats | email=ana@b@example.com | InvalidArgument email_malformed customer.email
        two e-mails | email=ana@example.com,b@example.com | InvalidArgument email_malformed customer.email
        e-mail with header | email=ana@example.com<bell>Bcc | InvalidArgument text_refused customer.email
        long e-mail | email=<250 a>@b.co | InvalidArgument text_refused customer.email
        letters in phone | phone=call me | InvalidArgument phone_malformed customer.phones
        short phone | phone=123 | InvalidArgument phone_malformed customer.phones
        unknown area code | phone=+55 10 98765-4321 | InvalidArgument phone_malformed customer.phones
        second phone bad | phone=11987654321, phone=x | InvalidArgument phone_malformed customer.phones
        too many phones | phones=11 | InvalidArgument too_many customer.phones
        long address | address=<251 x> | InvalidArgument text_refused customer.address
        unknown channel | consent=pigeon | InvalidArgument unknown_channel customer.consents
        long segment | segment=<65 x> | InvalidArgument text_refused customer.attributes.segment
        name that turns | name=Ana <turn>avliS | InvalidArgument text_refused customer.name
        name with what is unseen | name=A<unseen>na | InvalidArgument text_refused customer.name
        address that turns | address=Rua <turn>A | InvalidArgument text_refused customer.address
        e-mail with what is unseen | email=a<unseen>@example.invalid | InvalidArgument text_refused customer.email
        no language tag | language=pt_BR | InvalidArgument language_malformed customer.attributes.language
        long language | language=<17 x> | InvalidArgument text_refused customer.attributes.language
        unknown zone | zone=Mars/Base | InvalidArgument unknown_zone customer.attributes.time_zone
        unknown state | state=XX | InvalidArgument unknown_state customer.attributes.state
        erased payer | customer_id=GONE, name=Ana | FailedPrecondition customer_erased customer.customer_id"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_municipality_that_is_none_or_in_another_state_is_refused() {
    let good = || proto::RegisterCustomerRequest { command_id: fresh(), customer: Some(customer("NEW")) };
    refuses!(
        register_customer,
        good(),
        spoil_registration,
        "
        no municipality | state=SP, municipality=355030 | InvalidArgument municipality_malformed customer.attributes.municipality
        wrong check digit | state=SP, municipality=3550307 | InvalidArgument municipality_malformed customer.attributes.municipality
        of no state | state=SP, municipality=9950308 | InvalidArgument municipality_malformed customer.attributes.municipality
        of another state | state=RJ, municipality=3550308 | InvalidArgument municipality_not_in_state customer.attributes.municipality
        without its state | municipality=3550308 | InvalidArgument municipality_not_in_state customer.attributes.municipality"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_issues_are_refused() {
    let good = || proto::IssueInvoiceRequest { command_id: fresh(), invoice: Some(new_invoice("NEW", "A", 1000, "2026-03-20")) };
    let set = |request: &mut proto::IssueInvoiceRequest, field: &str, text: String| {
        if field == "invoice" {
            request.invoice = None;
            return;
        }
        let invoice = request.invoice.as_mut().unwrap();
        match field {
            "command_id" => request.command_id = text,
            "invoice_id" => invoice.invoice_id = text,
            "customer_id" => invoice.customer_id = text,
            "amount" => invoice.amount_minor = text.parse().unwrap(),
            "currency" => invoice.currency = text,
            "issued_on" => invoice.issued_on = text,
            "due_on" => invoice.due_on = text,
            "document" => invoice.document = text,
            other => unknown(other),
        }
    };
    refuses!(
        issue_invoice,
        good(),
        set,
        "
        no key | command_id=<empty> | InvalidArgument command_id_malformed command_id
        no invoice | invoice=- | InvalidArgument missing invoice
        no id | invoice_id=<empty> | InvalidArgument id_malformed invoice.invoice_id
        long id | invoice_id=<65 x> | InvalidArgument id_malformed invoice.invoice_id
        no payer | customer_id=<empty> | InvalidArgument id_malformed invoice.customer_id
        unknown payer | customer_id=X | NotFound unknown_customer invoice.customer_id
        erased payer | customer_id=GONE | FailedPrecondition customer_erased invoice.customer_id
        amount zero | amount=0 | InvalidArgument amount_not_positive invoice.amount_minor
        amount negative | amount=-1 | InvalidArgument amount_not_positive invoice.amount_minor
        smallest amount | amount=-9223372036854775808 | InvalidArgument amount_not_positive invoice.amount_minor
        amount past 2^53 | amount=9007199254740993 | InvalidArgument amount_too_large invoice.amount_minor
        largest amount | amount=9223372036854775807 | InvalidArgument amount_too_large invoice.amount_minor
        unknown currency | currency=XXX | InvalidArgument unknown_currency invoice.currency
        currency in small letters | currency=brl | InvalidArgument unknown_currency invoice.currency
        no due date | due_on=<empty> | InvalidArgument date_malformed invoice.due_on
        no such day | due_on=2026-02-30 | InvalidArgument date_malformed invoice.due_on
        other order | due_on=20/03/2026 | InvalidArgument date_malformed invoice.due_on
        no zeros | due_on=2026-3-20 | InvalidArgument date_malformed invoice.due_on
        far past | issued_on=1899-12-31 | InvalidArgument date_malformed invoice.issued_on
        far future | due_on=2200-01-01 | InvalidArgument date_malformed invoice.due_on
        due before issue | issued_on=2026-03-21 | InvalidArgument due_before_issue invoice.due_on
        due before today | due_on=2026-03-09 | InvalidArgument due_before_issue invoice.due_on
        long document | document=<65 x> | InvalidArgument text_refused invoice.document
        control in document | document=a<bell> | InvalidArgument text_refused invoice.document
        id of another amount | invoice_id=I1 | FailedPrecondition invoice_exists invoice.invoice_id
        id of another payer | invoice_id=B1 | FailedPrecondition invoice_exists invoice.invoice_id"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_amendments_are_refused() {
    let good = || proto::AmendInvoiceRequest {
        command_id: fresh(),
        invoice_id: "I1".to_owned(),
        amount_minor: Some(500),
        due_on: None,
        automatic_debit_on: None,
    };
    let set = |request: &mut proto::AmendInvoiceRequest, field: &str, text: String| match field {
        "command_id" => request.command_id = text,
        "invoice_id" => request.invoice_id = text,
        "amount" => request.amount_minor = text.parse().ok(),
        "due_on" => request.due_on = Some(text),
        other => unknown(other),
    };
    refuses!(
        amend_invoice,
        good(),
        set,
        "
        no key | command_id=<empty> | InvalidArgument command_id_malformed command_id
        no id | invoice_id=<empty> | InvalidArgument id_malformed invoice_id
        unknown id | invoice_id=X | NotFound unknown_invoice invoice_id
        cancelled | invoice_id=VOID | FailedPrecondition invoice_cancelled invoice_id
        nothing | amount=none | InvalidArgument nothing_to_amend amount_minor
        amount zero | amount=0 | InvalidArgument amount_not_positive amount_minor
        amount negative | amount=-5 | InvalidArgument amount_not_positive amount_minor
        amount past 2^53 | amount=9007199254740993 | InvalidArgument amount_too_large amount_minor
        empty date | due_on=<empty> | InvalidArgument date_malformed due_on
        due before issue | due_on=2026-02-28 | InvalidArgument due_before_issue due_on"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_cancellations_are_refused() {
    let good = || proto::CancelInvoiceRequest { command_id: fresh(), invoice_id: "I1".to_owned(), reason: "twice".to_owned() };
    let set = |request: &mut proto::CancelInvoiceRequest, field: &str, text: String| match field {
        "command_id" => request.command_id = text,
        "invoice_id" => request.invoice_id = text,
        "reason" => request.reason = text,
        other => unknown(other),
    };
    refuses!(
        cancel_invoice,
        good(),
        set,
        "
        no key | command_id=<empty> | InvalidArgument command_id_malformed command_id
        unknown id | invoice_id=X | NotFound unknown_invoice invoice_id
        no reason | reason=<empty> | InvalidArgument text_refused reason
        long reason | reason=<201 x> | InvalidArgument text_refused reason
        control in reason | reason=a<bell> | InvalidArgument text_refused reason"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_payments_are_refused() {
    let good = || proto::RecordPaymentRequest { command_id: fresh(), payment: Some(new_payment("NEW", "I1", 100)) };
    let set = |request: &mut proto::RecordPaymentRequest, field: &str, text: String| {
        if field == "payment" {
            request.payment = None;
            return;
        }
        let payment = request.payment.as_mut().unwrap();
        match field {
            "command_id" => request.command_id = text,
            "payment_id" => payment.payment_id = text,
            "invoice_id" => payment.invoice_id = text,
            "amount" => payment.amount_minor = text.parse().unwrap(),
            "currency" => payment.currency = text,
            "paid_on" => payment.paid_on = text,
            "method" => payment.method = text,
            other => unknown(other),
        }
    };
    refuses!(
        record_payment,
        good(),
        set,
        "
        no key | command_id=<empty> | InvalidArgument command_id_malformed command_id
        no payment | payment=- | InvalidArgument missing payment
        no id | payment_id=<empty> | InvalidArgument id_malformed payment.payment_id
        long id | payment_id=<65 x> | InvalidArgument id_malformed payment.payment_id
        no invoice | invoice_id=<empty> | InvalidArgument id_malformed payment.invoice_id
        unknown invoice | invoice_id=X | NotFound unknown_invoice payment.invoice_id
        cancelled invoice | invoice_id=VOID | FailedPrecondition invoice_cancelled payment.invoice_id
        amount zero | amount=0 | InvalidArgument amount_not_positive payment.amount_minor
        amount negative | amount=-100 | InvalidArgument amount_not_positive payment.amount_minor
        amount past 2^53 | amount=9007199254740993 | InvalidArgument amount_too_large payment.amount_minor
        another currency | currency=USD | InvalidArgument currency_mismatch payment.currency
        the other way round | invoice_id=USD, currency=BRL | InvalidArgument currency_mismatch payment.currency
        unknown currency | currency=$ | InvalidArgument unknown_currency payment.currency
        bad date | paid_on=soon | InvalidArgument date_malformed payment.paid_on
        money that has not come | paid_on=2026-03-12 | InvalidArgument paid_in_future payment.paid_on
        unknown method | method=barter | InvalidArgument unknown_method payment.method
        id of another payment | payment_id=P1, amount=99 | FailedPrecondition payment_exists payment.payment_id
        id of another payer's | payment_id=PB | FailedPrecondition payment_exists payment.payment_id"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_reversals_are_refused() {
    let good = || proto::ReversePaymentRequest { command_id: fresh(), payment_id: "P1".to_owned(), reason: "bounced".to_owned() };
    let set = |request: &mut proto::ReversePaymentRequest, field: &str, text: String| match field {
        "command_id" => request.command_id = text,
        "payment_id" => request.payment_id = text,
        "reason" => request.reason = text,
        other => unknown(other),
    };
    refuses!(
        reverse_payment,
        good(),
        set,
        "
        no key | command_id=<empty> | InvalidArgument command_id_malformed command_id
        no id | payment_id=<empty> | InvalidArgument id_malformed payment_id
        unknown id | payment_id=X | NotFound unknown_payment payment_id
        id of an invoice | payment_id=I1 | NotFound unknown_payment payment_id
        no reason | reason=<empty> | InvalidArgument text_refused reason
        long reason | reason=<201 x> | InvalidArgument text_refused reason
        twice | payment_id=BACK | FailedPrecondition payment_reversed payment_id"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_erasures_are_refused() {
    let good = || proto::EraseCustomerRequest { command_id: fresh(), customer_id: "A".to_owned() };
    let set = |request: &mut proto::EraseCustomerRequest, field: &str, text: String| match field {
        "command_id" => request.command_id = text,
        "customer_id" => request.customer_id = text,
        other => unknown(other),
    };
    refuses!(
        erase_customer,
        good(),
        set,
        "
        no key | command_id=<empty> | InvalidArgument command_id_malformed command_id
        no id | customer_id=<empty> | InvalidArgument id_malformed customer_id
        unknown id | customer_id=X | NotFound unknown_customer customer_id"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_balance_questions_are_refused() {
    let good = || proto::GetInvoiceBalanceRequest { invoice_id: "I1".to_owned(), ..Default::default() };
    let set = |request: &mut proto::GetInvoiceBalanceRequest, field: &str, text: String| match field {
        "invoice_id" => request.invoice_id = text,
        "as_of" => request.as_of = text,
        other => unknown(other),
    };
    refuses!(
        get_invoice_balance,
        good(),
        set,
        "
        no id | invoice_id=<empty> | InvalidArgument id_malformed invoice_id
        unknown id | invoice_id=X | NotFound unknown_invoice invoice_id
        bad date | as_of=soon | InvalidArgument date_malformed as_of"
    );
    let good = || proto::GetInvoiceRequest { invoice_id: "I1".to_owned() };
    let set = |request: &mut proto::GetInvoiceRequest, _: &str, text: String| request.invoice_id = text;
    refuses!(
        get_invoice,
        good(),
        set,
        "
        no id | invoice_id=<empty> | InvalidArgument id_malformed invoice_id
        unknown id | invoice_id=X | NotFound unknown_invoice invoice_id"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_past_two_to_the_fifty_third_is_refused() {
    for site in Site::every().await {
        play(
            &site,
            "register A
             issue I1 A 9007199254740992 on=2026-03-01 due=2026-03-20
             pay P1 I1 9007199254740992
             pay P2 I1 9007199254740992 => FailedPrecondition credit_too_large payment.amount_minor
             pay P3 I1 1 => FailedPrecondition credit_too_large payment.amount_minor
             cancel I1
             owes A => BRL 0 credit 9007199254740992",
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_views_are_refused() {
    let good = || proto::RecordViewRequest {
        command_id: fresh(),
        invoice_id: "I1".to_owned(),
        through: "portal".to_owned(),
        ..Default::default()
    };
    let set = |request: &mut proto::RecordViewRequest, field: &str, text: String| match field {
        "command_id" => request.command_id = text,
        "invoice_id" => request.invoice_id = text,
        "through" => request.through = text,
        "seconds" => request.viewed_at = Some(prost_types::Timestamp { seconds: text.parse().unwrap(), nanos: 0 }),
        "nanos" => request.viewed_at = Some(prost_types::Timestamp { seconds: 0, nanos: text.parse().unwrap() }),
        other => unknown(other),
    };
    refuses!(
        record_view,
        good(),
        set,
        "
        no key | command_id=<empty> | InvalidArgument command_id_malformed command_id
        no id | invoice_id=<empty> | InvalidArgument id_malformed invoice_id
        unknown id | invoice_id=X | NotFound unknown_invoice invoice_id
        no place | through=<empty> | InvalidArgument text_refused through
        long place | through=<65 x> | InvalidArgument text_refused through
        control in place | through=a<bell> | InvalidArgument text_refused through
        of the future | seconds=4102444800 | InvalidArgument viewed_in_future viewed_at
        past all years | seconds=9223372036854775807 | InvalidArgument instant_malformed viewed_at
        nanoseconds below zero | nanos=-1 | InvalidArgument instant_malformed viewed_at"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_ratings_are_refused() {
    let good = || proto::RateCustomerRequest {
        command_id: fresh(),
        customer_id: "A".to_owned(),
        score: Some(70),
        source: "birô".to_owned(),
        rated_on: String::new(),
    };
    let set = |request: &mut proto::RateCustomerRequest, field: &str, text: String| match field {
        "command_id" => request.command_id = text,
        "customer_id" => request.customer_id = text,
        "score" => request.score = text.parse().ok(),
        "source" => request.source = text,
        "rated_on" => request.rated_on = text,
        other => unknown(other),
    };
    refuses!(
        rate_customer,
        good(),
        set,
        "
        no key | command_id=<empty> | InvalidArgument command_id_malformed command_id
        no id | customer_id=<empty> | InvalidArgument id_malformed customer_id
        unknown id | customer_id=X | NotFound unknown_customer customer_id
        erased | customer_id=GONE | FailedPrecondition customer_erased customer_id
        no score | score=<empty> | InvalidArgument missing score
        past a hundred | score=101 | InvalidArgument score_out_of_range score
        far past it | score=4294967295 | InvalidArgument score_out_of_range score
        nobody says so | source=<empty> | InvalidArgument text_refused source
        a long source | source=<65 x> | InvalidArgument text_refused source
        no date | rated_on=soon | InvalidArgument date_malformed rated_on
        of tomorrow | rated_on=2199-12-31 | InvalidArgument rated_in_future rated_on"
    );
}
