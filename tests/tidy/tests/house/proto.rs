use tidy::proto::check;
use tidy::tree::TextFile;

use crate::broken;

const GOOD: &str = r#"
syntax = "proto3";

package regua.invoice.v1;

// Invoices.
service InvoiceService {
  // Issues one.
  rpc Issue(IssueRequest) returns (IssueResponse);
  // Issues many.
  rpc IssueMany(stream IssueManyRequest) returns (stream IssueManyResponse) {
    option deprecated = false;
  }
}

// What to issue.
message IssueRequest {
  reserved 2;
  // The key.
  string id = 1;
  oneof subject {
    int64 a = 3; // In minor units.
    // The other,
    // on two lines.
    map<string, int64> b = 4;
  }
}

// Phases.
enum Phase {
  PHASE_UNSPECIFIED = 0;
}
"#;

fn check_at(path: &str, text: &str) -> String {
    broken(&check(&[TextFile::new(path, text)]))
}

/// GOOD with one change, which must be one.
fn check_with(from: &str, to: &str) -> String {
    let changed = GOOD.replace(from, to);
    assert_ne!(changed, GOOD, "{from} is not in the text");
    check_at("proto/regua/invoice/v1/a.proto", &changed)
}

#[test]
fn a_proto_file_that_follows_the_conventions_is_fine() {
    assert_eq!(check_at("proto/regua/invoice/v1/a.proto", GOOD), "");
}

#[test]
fn a_proto_file_in_the_wrong_folder_is_found() {
    assert_eq!(check_at("proto/invoice/v1/a.proto", GOOD), "proto_path proto/invoice/v1/a.proto");
}

#[test]
fn a_package_without_a_version_is_found() {
    let text = "package regua.invoice;";
    assert_eq!(check_at("proto/regua/invoice/a.proto", text), "proto_version proto/regua/invoice/a.proto");
}

#[test]
fn an_rpc_with_another_message_than_its_own_is_found() {
    let found = check_with("returns (IssueResponse)", "returns (Invoice)");
    assert_eq!(found, "proto_rpc_types proto/regua/invoice/v1/a.proto:9");
}

#[test]
fn a_message_shared_by_two_rpcs_is_found() {
    let found = check_with("IssueManyResponse", "IssueResponse");
    assert!(found.contains("proto_shared_type proto/regua/invoice/v1/a.proto:11"), "{found}");
}

#[test]
fn a_declaration_without_comment_is_found() {
    let cases = [
        ("// Invoices.", 7),
        ("  // Issues one.", 9),
        ("// What to issue.", 17),
        ("  // The key.", 20),
        (" // In minor units.", 22),
        ("    // The other,\n    // on two lines.", 25),
        ("// Phases.", 30),
    ];
    for (comment, line) in cases {
        let blank = "\n".repeat(comment.matches('\n').count());
        assert_eq!(check_with(comment, &blank), format!("proto_comment proto/regua/invoice/v1/a.proto:{line}"), "without {comment}");
    }
}
