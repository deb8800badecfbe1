//! How a page or a mini-program learns who the payer is: the `openid` that a JSAPI order needs.
//!
//! Of either version of WeChat Pay: plain GET requests to `api.weixin.qq.com`, answered in JSON,
//! proven by the application's secret and by nothing else. The HTTP status is 200 for failures
//! too, and the media type may be `text/plain`.
//!
//! - a mini-program: [`jscode2session`];
//! - a page inside WeChat: [`authorize`], then [`access_token`].
//!
//! A code lives five minutes and is spent by its first use, a failed one included. An `openid`
//! has a meaning only under the application it was given for.

pub mod access_token;
pub mod authorize;
pub mod err_code;
pub mod jscode2session;
pub mod param;
pub mod reply;

pub use err_code::ErrCode;
pub use param::ParamError;
pub use reply::{Reply, ReplyError};

/// Where [`jscode2session`] and [`access_token`] are.
pub const HOST: &str = "https://api.weixin.qq.com";
