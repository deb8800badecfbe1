//! What comes back over the wire, a broken wire included.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, header};

/// The end of one exchange.
#[derive(Clone, Debug)]
pub enum WireResponse {
    /// The platform answers after `delay`.
    Answer {
        /// The answer.
        response: Response<Bytes>,
        /// Wait this long before it is delivered; the effect is already there.
        delay: Duration,
    },
    /// The platform acts on the request, then the connection breaks without an answer.
    Dropped {
        /// Wait this long before it breaks.
        delay: Duration,
    },
    /// The connection is refused; the platform never saw the request.
    Refused,
}

impl WireResponse {
    pub(super) fn now(response: Response<Bytes>) -> Self {
        Self::Answer {
            response,
            delay: Duration::ZERO,
        }
    }

    pub(super) fn delayed(self, by: Duration) -> Self {
        match self {
            Self::Answer { response, delay } => Self::Answer {
                response,
                delay: delay + by,
            },
            Self::Dropped { delay } => Self::Dropped { delay: delay + by },
            Self::Refused => Self::Refused,
        }
    }

    /// The answer, when one arrives.
    pub fn answer(&self) -> Option<&Response<Bytes>> {
        match self {
            Self::Answer { response, .. } => Some(response),
            Self::Dropped { .. } | Self::Refused => None,
        }
    }
}

/// A page as the platform's front servers send it when no service behind them answers.
pub(crate) fn front_page(status: StatusCode) -> Response<Bytes> {
    let page = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n\
         <center><h1>{status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    respond(status, "text/html", page)
}

/// As the front servers refuse a client that shows no certificate where one is needed.
pub(super) fn no_certificate() -> Response<Bytes> {
    let why = "No required SSL certificate was sent";
    let page = format!(
        "<html>\r\n<head><title>400 {why}</title></head>\r\n<body>\r\n\
         <center><h1>400 Bad Request</h1></center>\r\n<center>{why}</center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    respond(StatusCode::BAD_REQUEST, "text/html", page)
}

pub(super) fn respond(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    response
}
