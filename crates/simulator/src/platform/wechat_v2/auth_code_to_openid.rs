//! Saying whose payment code it is, which from then on is the asking merchant's alone.

use tongbao_wire::wechat_v2::Fields;
use tongbao_wire::wechat_v2::auth_code_to_openid::{Holder, Request};

use super::caller::Caller;
use super::failure::{Failure, malformed};
use super::micropay;
use crate::platform::{Moment, Platform};

pub(super) fn tell(
    platform: &mut Platform,
    at: Moment,
    fields: &Fields<'_>,
    caller: &Caller,
) -> Result<Holder, Failure> {
    let request = Request::from_fields(fields).map_err(malformed)?;
    let mch_id = &caller.head.mch_id;
    let code = micropay::usable(platform, at, request.auth_code.as_str(), mch_id)?;
    code.only_for = Some(mch_id.clone());
    let wallet = code.wallet.clone();
    let openid_in = |app_id: &str| {
        let wallet = platform.wallets.get(&wallet);
        wallet.map(|wallet| wallet.openid_in(app_id))
    };
    Ok(Holder {
        openid: openid_in(&caller.head.appid).unwrap_or_default(),
        sub_openid: caller.head.sub_appid.as_deref().and_then(openid_in),
    })
}
