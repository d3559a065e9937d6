//! An owner of balances and addresses that answers what a test tells it to: a real gRPC server.

use contracts::invoice::v1::{
    self as proto,
    invoice_service_server::{InvoiceService, InvoiceServiceServer},
};
use futures::{future::BoxFuture, stream::BoxStream};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming, transport::Server};

/// What the owner says, and what it was asked.
#[derive(Default)]
pub struct Owner {
    /// It does not answer.
    pub down: bool,
    /// Invoices that it refuses, with its reason.
    pub refused: BTreeMap<String, &'static str>,
    /// Net balances; 10000 where none is named.
    pub net_minor: BTreeMap<String, i64>,
    /// Instalments: number, count, agreement. They have no document.
    pub instalments: BTreeMap<String, (u32, u32, &'static str)>,
    /// The payer.
    pub customer: proto::Customer,
    /// Contacts that asked, with the tenant.
    pub asked: Vec<String>,
}

pub type Shared = Arc<Mutex<Owner>>;

/// Starts an owner and tells its URL: of a payer who is reached by e-mail, text, WhatsApp, call and letter.
pub async fn serve() -> (String, Shared) {
    let customer = proto::Customer {
        name: "Ana Souza".into(),
        email: "ana@payer.example".into(),
        phones: vec!["+5511999990000".into()],
        address: "Rua das Flores, 100, São Paulo/SP".into(),
        consents: ["email", "whatsapp", "sms", "voice", "letter"].map(String::from).into(),
        ..proto::Customer::default()
    };
    let owner = Arc::new(Mutex::new(Owner { customer, ..Owner::default() }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = InvoiceServiceServer::new(Door(Arc::clone(&owner)));
    tokio::spawn(Server::builder().add_service(server).serve_with_incoming(TcpListenerStream::new(listener)));
    (url, owner)
}

impl Owner {
    fn verdict(&self, item: &proto::ReminderItem) -> proto::ReminderVerdict {
        let refused = self.refused.get(&item.invoice_id);
        let instalment = self.instalments.get(&item.invoice_id);
        let (instalment, instalments, agreement) = instalment.copied().unwrap_or_default();
        let net_minor = self.net_minor.get(&item.invoice_id).copied().unwrap_or(10_000) - item.disputed_minor;
        proto::ReminderVerdict {
            invoice_id: item.invoice_id.clone(),
            authorized: refused.is_none(),
            reason: refused.map(ToString::to_string).unwrap_or_default(),
            net_minor: if refused.is_none() { net_minor } else { 0 },
            document: if agreement.is_empty() { format!("NF {}", item.invoice_id) } else { String::new() },
            instalment,
            instalments,
            agreement_id: agreement.to_owned(),
            ..proto::ReminderVerdict::default()
        }
    }
}

struct Door(Shared);

type Answers<T> = BoxStream<'static, Result<T, Status>>;

/// Calls that this service never makes.
macro_rules! never {
    ($($name:ident($request:ty) -> $response:ty;)*) => {
        $(fn $name<'a, 'b>(&'a self, _: Request<$request>) -> BoxFuture<'b, Result<Response<$response>, Status>>
        where
            'a: 'b,
            Self: 'b,
        {
            Box::pin(async { Err(Status::unimplemented("the notification service asks one thing only")) })
        })*
    };
}

#[tonic::async_trait]
impl InvoiceService for Door {
    type RegisterCustomersStream = Answers<proto::RegisterCustomersResponse>;
    type IssueInvoicesStream = Answers<proto::IssueInvoicesResponse>;
    type RecordPaymentsStream = Answers<proto::RecordPaymentsResponse>;
    type WriteRemittanceStream = Answers<proto::WriteRemittanceResponse>;

    async fn authorize_reminder(
        &self,
        request: Request<proto::AuthorizeReminderRequest>,
    ) -> Result<Response<proto::AuthorizeReminderResponse>, Status> {
        let tenant = request.metadata().get("regua-tenant").unwrap().to_str().unwrap().to_owned();
        let m = request.into_inner();
        let mut owner = self.0.lock().unwrap();
        owner.asked.push(format!("{tenant} {} {}", m.customer_id, m.contact_id));
        if owner.down {
            return Err(Status::unavailable("down"));
        }
        Ok(Response::new(proto::AuthorizeReminderResponse {
            verdicts: m.items.iter().map(|item| owner.verdict(item)).collect(),
            customer: Some(owner.customer.clone()),
            ..proto::AuthorizeReminderResponse::default()
        }))
    }

    never! {
        register_customer(proto::RegisterCustomerRequest) -> proto::RegisterCustomerResponse;
        register_customers(Streaming<proto::RegisterCustomersRequest>) -> Self::RegisterCustomersStream;
        get_customer(proto::GetCustomerRequest) -> proto::GetCustomerResponse;
        list_customers(proto::ListCustomersRequest) -> proto::ListCustomersResponse;
        erase_customer(proto::EraseCustomerRequest) -> proto::EraseCustomerResponse;
        issue_invoice(proto::IssueInvoiceRequest) -> proto::IssueInvoiceResponse;
        issue_invoices(Streaming<proto::IssueInvoicesRequest>) -> Self::IssueInvoicesStream;
        amend_invoice(proto::AmendInvoiceRequest) -> proto::AmendInvoiceResponse;
        cancel_invoice(proto::CancelInvoiceRequest) -> proto::CancelInvoiceResponse;
        make_agreement(proto::MakeAgreementRequest) -> proto::MakeAgreementResponse;
        break_agreement(proto::BreakAgreementRequest) -> proto::BreakAgreementResponse;
        get_agreement(proto::GetAgreementRequest) -> proto::GetAgreementResponse;
        list_agreements(proto::ListAgreementsRequest) -> proto::ListAgreementsResponse;
        get_invoice(proto::GetInvoiceRequest) -> proto::GetInvoiceResponse;
        list_invoices(proto::ListInvoicesRequest) -> proto::ListInvoicesResponse;
        issue_credit_note(proto::IssueCreditNoteRequest) -> proto::IssueCreditNoteResponse;
        record_view(proto::RecordViewRequest) -> proto::RecordViewResponse;
        rate_customer(proto::RateCustomerRequest) -> proto::RateCustomerResponse;
        cancel_credit_note(proto::CancelCreditNoteRequest) -> proto::CancelCreditNoteResponse;
        list_bank_findings(proto::ListBankFindingsRequest) -> proto::ListBankFindingsResponse;
        dismiss_bank_finding(proto::DismissBankFindingRequest) -> proto::DismissBankFindingResponse;
        record_payment(proto::RecordPaymentRequest) -> proto::RecordPaymentResponse;
        record_payments(Streaming<proto::RecordPaymentsRequest>) -> Self::RecordPaymentsStream;
        reverse_payment(proto::ReversePaymentRequest) -> proto::ReversePaymentResponse;
        get_invoice_balance(proto::GetInvoiceBalanceRequest) -> proto::GetInvoiceBalanceResponse;
        get_customer_balance(proto::GetCustomerBalanceRequest) -> proto::GetCustomerBalanceResponse;
        report_payment_feed(proto::ReportPaymentFeedRequest) -> proto::ReportPaymentFeedResponse;
        get_payment_feed(proto::GetPaymentFeedRequest) -> proto::GetPaymentFeedResponse;
        register_collection_account(proto::RegisterCollectionAccountRequest) -> proto::RegisterCollectionAccountResponse;
        get_collection_account(proto::GetCollectionAccountRequest) -> proto::GetCollectionAccountResponse;
        list_collection_accounts(proto::ListCollectionAccountsRequest) -> proto::ListCollectionAccountsResponse;
        record_legal_rates(proto::RecordLegalRatesRequest) -> proto::RecordLegalRatesResponse;
        list_legal_rates(proto::ListLegalRatesRequest) -> proto::ListLegalRatesResponse;
        get_statement(proto::GetStatementRequest) -> proto::GetStatementResponse;
        list_unapplied_payments(proto::ListUnappliedPaymentsRequest) -> proto::ListUnappliedPaymentsResponse;
        apply_payment(proto::ApplyPaymentRequest) -> proto::ApplyPaymentResponse;
        dismiss_payment(proto::DismissPaymentRequest) -> proto::DismissPaymentResponse;
        import_bank_file(Streaming<proto::ImportBankFileRequest>) -> proto::ImportBankFileResponse;
        write_remittance(proto::WriteRemittanceRequest) -> Self::WriteRemittanceStream;
    }
}
