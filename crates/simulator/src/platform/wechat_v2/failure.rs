//! Why a request is not carried out.

use tongbao_wire::wechat_v2::{ErrorCode, FieldError, XmlError};

/// Why a request is not carried out.
pub(super) enum Failure {
    /// `return_code` is `FAIL`: before the caller is known, or the fields make no sense.
    Unsigned {
        return_msg: String,
        hint: Option<String>,
    },
    /// `result_code` is `FAIL`: understood, and refused.
    Signed(ErrorCode, &'static str),
}

impl Failure {
    pub(super) fn unsigned(return_msg: impl Into<String>) -> Self {
        Self::Unsigned {
            return_msg: return_msg.into(),
            hint: None,
        }
    }

    pub(super) fn hinted(return_msg: &str, hint: String) -> Self {
        Self::Unsigned {
            return_msg: return_msg.to_owned(),
            hint: Some(hint),
        }
    }
}

pub(super) fn unreadable(error: XmlError) -> Failure {
    let text = match error {
        XmlError::NotUtf8 | XmlError::Encoding => "编码格式错误",
        _ => "XML格式错误",
    };
    Failure::hinted(text, error.label().to_owned())
}

pub(super) fn lacks(field: &str) -> Failure {
    Failure::hinted("缺少参数", format!("{field} is missing or empty"))
}

pub(super) fn malformed(error: FieldError) -> Failure {
    match error {
        FieldError::Missing(field) => lacks(field),
        FieldError::Malformed("auth_code") => Failure::Signed(
            ErrorCode::AuthCodeInvalid,
            "请扫描微信支付授权码(以10/11/12/13/14/15为前缀的18位数字)",
        ),
        FieldError::Malformed(field) | FieldError::Unexpected(field) => {
            Failure::unsigned(format!("invalid {field}"))
        }
    }
}
