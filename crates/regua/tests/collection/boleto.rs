//! Issued with a boleto, reminded of, paid at the bank: the file counts once, and nobody is reminded of what is paid.

use crate::world::World;
use contracts::invoice::v1 as proto;

impl World {
    async fn payer_with_boleto(&mut self, customer_id: &str, invoice_id: &str) -> String {
        let customer = proto::Customer {
            customer_id: customer_id.into(),
            name: "Fulana de Exemplo".into(),
            email: "fulana@example.invalid".into(),
            attributes: Some(proto::CustomerAttributes { state: "SP".into(), ..Default::default() }),
            ..Default::default()
        };
        let register = proto::RegisterCustomerRequest { command_id: format!("c-{customer_id}"), customer: Some(customer) };
        self.invoices.register_customer(register).await.unwrap();
        let invoice = proto::NewInvoice {
            invoice_id: invoice_id.into(),
            customer_id: customer_id.into(),
            amount_minor: 10_000,
            due_on: "2026-03-20".into(),
            collection_account_id: "main".into(),
            ..Default::default()
        };
        let issue = proto::IssueInvoiceRequest { command_id: format!("i-{invoice_id}"), invoice: Some(invoice) };
        let issued = self.invoices.issue_invoice(issue).await.unwrap().into_inner().invoice.unwrap();
        issued.instruments.unwrap().boleto.unwrap().nosso_numero.replace('-', "")
    }

    async fn import(&mut self, file: &str) -> String {
        let piece = proto::ImportBankFileRequest { content: file.as_bytes().to_vec() };
        let answer = self.invoices.import_bank_file(futures::stream::iter([piece])).await.unwrap().into_inner();
        let one = |outcome: &proto::BankFileOutcome| format!("{} {} {}", outcome.outcome, outcome.records, outcome.amount_minor);
        answer.outcomes.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

fn account() -> proto::CollectionAccount {
    proto::CollectionAccount {
        account_id: "main".into(),
        boleto: Some(proto::BoletoAgreement { bank: 33, agreement: "1234567".into(), wallet: "101".into(), ..Default::default() }),
        beneficiary: Some(proto::Beneficiary {
            name: "Oficina Fictícia Ltda.".into(),
            tax_id: "11.222.333/0001-81".into(),
            address: "Rua Fictícia, 1, São Paulo - SP".into(),
        }),
        pix: None,
        is_default: false,
        charges: None,
    }
}

fn record(parts: &[(usize, &str)]) -> String {
    let mut line = " ".repeat(240);
    parts.iter().for_each(|(from, text)| line.replace_range(from - 1..from - 1 + text.len(), text));
    line + "\r\n"
}

/// Santander's return of one payment of 100.00 on the sixteenth of March.
fn paid(nosso_numero: &str) -> String {
    let (number, cents) = (format!("{nosso_numero:0>13}"), "000000000010000");
    [
        record(&[(1, "03300000"), (33, "1234567"), (143, "2")]),
        record(&[(1, "03300011T01"), (34, "1234567")]),
        record(&[(1, "03300013"), (14, "T"), (16, "06"), (41, &number), (78, cents)]),
        record(&[(1, "03300013"), (14, "U"), (16, "06"), (78, cents), (93, cents), (138, "16032026"), (146, "17032026")]),
        record(&[(1, "03300015"), (18, "000002")]),
        record(&[(1, "03399999"), (18, "000001"), (24, "000006")]),
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_boleto_that_the_bank_tells_of_twice_is_paid_once_and_not_reminded_of_again() {
    let mut world = World::start().await;
    let request = proto::RegisterCollectionAccountRequest { command_id: "a".into(), account: Some(account()) };
    world.invoices.register_collection_account(request).await.unwrap();
    let number = world.payer_with_boleto("P1", "I1").await;
    world.payer_with_boleto("P2", "I2").await;
    world.until("2026-03-17").await;
    let reminded = world.count(notification::NAME, "AttemptStarted", "P1").await;
    assert!(reminded > 0, "a reminder went out before the due date");

    let file = paid(&number);
    assert_eq!(world.import(&file).await, "applied 1 10000");
    assert_eq!(world.import(&file).await, "known 1 10000");
    world.until("2026-05-20").await;
    assert_eq!(world.count(invoice::NAME, "PaymentReceived", "P1").await, 1);
    assert_eq!(world.count(notification::NAME, "AttemptStarted", "P1").await, reminded, "nobody is reminded of what is paid");
    let balance = proto::GetInvoiceBalanceRequest { invoice_id: "I1".into(), as_of: "2026-05-20".into() };
    assert_eq!(world.invoices.get_invoice_balance(balance).await.unwrap().into_inner().outstanding_minor, 0);
    // Who did not pay was reminded again: the ladder was at work all the while.
    assert!(world.count(notification::NAME, "AttemptStarted", "P2").await > reminded);
    assert_eq!(world.system.alarms(), Vec::<String>::new());
    world.system.stop().await;
}
