//! What the protocol refuses before a service sees it: messages that are too long or no message. tonic has codes of its own for them and
//! no slug; callers get one here, on answers and at the end of streams alike.

use crate::refusal::REASON_KEY;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response},
};
use http_body_util::BodyExt;
use tonic::Code;

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// An answer whose refusal has a slug, whoever refused.
pub(crate) fn named(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    name(&mut head.headers);
    let body = body.map_frame(|mut frame| {
        if let Some(trailers) = frame.trailers_mut() {
            name(trailers);
        }
        frame
    });
    Response::from_parts(head, Body::new(body))
}

/// Refusals of ours have a slug already, also where something of ours is at fault.
fn name(headers: &mut HeaderMap) {
    if headers.contains_key(REASON_KEY) {
        return;
    }
    let Some((code, slug, text)) = headers.get(&STATUS).and_then(|status| named_fault(Code::from_bytes(status.as_bytes()))) else { return };
    headers.insert(STATUS, HeaderValue::from(i32::from(code)));
    headers.insert(REASON_KEY, HeaderValue::from_static(slug));
    if let Some(text) = text {
        headers.insert(MESSAGE, HeaderValue::from_static(text));
    }
}

/// Code, slug and, where there is a better one, sentence of what tonic refuses with a code.
pub(crate) fn named_fault(code: Code) -> Option<(Code, &'static str, Option<&'static str>)> {
    match code {
        // To tonic a message that cannot be parsed is INTERNAL. It is the caller's fault, and trying again does not mend it.
        Code::Internal => Some((Code::InvalidArgument, "message_malformed", Some("the request is no message of this call"))),
        Code::OutOfRange => Some((Code::OutOfRange, "message_too_large", Some("the message is longer than 4 MiB"))),
        Code::Unimplemented => Some((Code::Unimplemented, "unknown_call", None)),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => None,
    }
}
