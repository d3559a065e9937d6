//! Conventions of `proto/`: where a file stands, what an RPC is made of, and that everything is explained.

use crate::Violation;
use crate::tree::TextFile;

/// One declaration of a proto file.
struct Declaration<'a> {
    line: usize,
    text: &'a str,
    commented: bool,
}

/// All conventions over all proto files: `proto_path`, `proto_version`, `proto_rpc_types`, `proto_shared_type`,
/// `proto_comment`.
pub fn check(files: &[TextFile]) -> Vec<Violation> {
    let protos = files.iter().filter(|file| file.path.starts_with("proto/") && file.path.ends_with(".proto"));
    protos.flat_map(|file| [package(file), rpcs(file), comments(file)].concat()).collect()
}

fn package(file: &TextFile) -> Vec<Violation> {
    let declared = file.text.lines().find_map(|line| line.trim().strip_prefix("package "));
    let package = declared.unwrap_or_default().trim_end_matches(';').trim();
    let folder = file.path.trim_start_matches("proto/").rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    if package.replace('.', "/") != folder {
        found.push(Violation::new("proto_path", &file.path, format!("package `{package}` belongs in proto/{}", package.replace('.', "/"))));
    }
    let version = package.rsplit('.').next().unwrap_or_default();
    if !version.strip_prefix('v').is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())) {
        found.push(Violation::new("proto_version", &file.path, format!("the last part of `{package}` must be a version such as v1")));
    }
    found
}

/// Every RPC has a request and a response of its own, named after it, so that each can grow alone.
fn rpcs(file: &TextFile) -> Vec<Violation> {
    let mut found = Vec::new();
    let (mut in_use, lines) = (Vec::new(), statements(&file.text));
    for (line, statement) in lines.iter().filter(|(_, statement)| statement.starts_with("rpc ")) {
        let place = format!("{}:{line}", file.path);
        let parts: Vec<&str> = statement.split(['(', ')']).map(|part| part.trim().trim_start_matches("stream ").trim()).collect();
        let [rpc, request, _, response, ..] = parts.as_slice() else {
            found.push(Violation::new("proto_rpc_types", place, "an rpc takes one message and returns one"));
            continue;
        };
        let name = rpc.trim_start_matches("rpc ").trim();
        if *request != format!("{name}Request") || *response != format!("{name}Response") {
            let detail = format!("{name} must take {name}Request and return {name}Response");
            found.push(Violation::new("proto_rpc_types", place.clone(), detail));
        }
        found.extend(
            [request, response]
                .into_iter()
                .filter(|used| in_use.contains(*used))
                .map(|used| Violation::new("proto_shared_type", place.clone(), format!("{used} already belongs to another rpc"))),
        );
        in_use.extend([*request, *response]);
    }
    found
}

/// Messages, fields, enums, services and RPCs have a comment above them or behind them.
fn comments(file: &TextFile) -> Vec<Violation> {
    let bare = declarations(&file.text).into_iter().filter(|declaration| !declaration.commented);
    bare.map(|found| Violation::new("proto_comment", format!("{}:{}", file.path, found.line), format!("`{}` has no comment", found.text)))
        .collect()
}

fn declarations(text: &str) -> Vec<Declaration<'_>> {
    let (mut found, mut above, mut blocks): (Vec<Declaration<'_>>, bool, Vec<&str>) = (vec![], false, vec![]);
    // A statement over several lines is explained once, where it begins.
    let mut open = false;
    for (index, raw) in text.lines().enumerate() {
        let (code, comment) = split_comment(raw);
        if code.is_empty() {
            above = comment && !open || above && open;
            continue;
        }
        let kind = code.split_whitespace().next().unwrap_or_default();
        let block = blocks.last().copied().unwrap_or_default();
        let field = matches!(block, "message" | "oneof") && code.contains('=') && !matches!(kind, "option" | "reserved" | "extensions");
        if !open && (matches!(kind, "message" | "enum" | "service" | "rpc") || field) {
            found.push(Declaration { line: index + 1, text: code, commented: above || comment });
        }
        for brace in code.chars().filter(|c| matches!(c, '{' | '}')) {
            if brace == '{' {
                blocks.push(kind);
            } else {
                blocks.pop();
            }
        }
        open = !code.ends_with([';', '{', '}']);
        above = false;
    }
    found
}

/// The code of a line, and whether a comment stands on it.
fn split_comment(line: &str) -> (&str, bool) {
    match line.split_once("//") {
        Some((code, comment)) => (code.trim(), !comment.trim().is_empty()),
        None => (line.trim(), false),
    }
}

/// Statements with the line they begin in, without comments, broken lines joined.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, raw) in text.lines().enumerate() {
        let (code, _) = split_comment(raw);
        match found.last_mut() {
            Some((_, statement)) if open => statement.push_str(&format!(" {code}")),
            _ => found.push((index + 1, code.to_owned())),
        }
        open = !code.is_empty() && !code.ends_with([';', '{', '}']) || open && code.is_empty();
    }
    found
}
