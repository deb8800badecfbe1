//! WeChat Pay v2: XML, one key that both sides hold.
//!
//! Whoever has the key can forge both directions, so nothing that merely
//! arrives is graded above [`Grade::Shared`]. Answers to our own questions come
//! over TLS from the platform's address, and count as the platform's word.

mod answers;
mod app_kind;
mod certificate;
mod doctor;
mod login;
mod refunds;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use tongbao_core::{Currency, Grade, Money, Outcome, Receipt, Scene, Timestamp};
use tongbao_wire::payment_code::Wallet;
use tongbao_wire::wechat_v2::auth_code::AuthCode;
use tongbao_wire::wechat_v2::mweb;
use tongbao_wire::wechat_v2::notification::{self, Acknowledgement};
use tongbao_wire::wechat_v2::scene_info::SceneInfo;
use tongbao_wire::wechat_v2::sign::{self, ApiKeyError, sign_type_of_notification};
use tongbao_wire::wechat_v2::trade::{Amounts, Payer};
use tongbao_wire::wechat_v2::unified_order::Optional;
use tongbao_wire::wechat_v2::{
    ApiKey, BeijingTime, Fields, Merchants, Reply, RequestHead, SignError, SignType, TradeType,
    close_order, micropay, order_query, reverse, unified_order,
};

use self::app_kind::AppKind;
use self::certificate::Certificate;
use crate::channel::{
    Answer, Call, Channel, ChannelError, Diagnosis, NotANotification, Notification, Order,
    RefundAnswer, RefundCall, Stamp, Told,
};
use crate::login::Login;
use crate::registry::{Addresses, Kind, Site};
use crate::settings::{Field, Rotation, Settings, SettingsError};

/// The platform refuses an order that expires within five minutes of its
/// arrival (`time_expire时间过短`); a minute is for clocks that are apart. A
/// payment that ends earlier is closed there when its own time is up.
const LEAST_LIFE: Duration = Duration::from_mins(6);

/// An order at a till ends with the payer's code, which lives a minute; the
/// second is for clocks that are apart. One that arrives later is refused there.
const LIFE_AT_A_TILL: Duration = Duration::from_mins(2);

/// "订单生成后不能马上调用关单接口，最短调用时间间隔为5分钟": of `closeorder` alone. A
/// younger order is refused, or answered with success and left open.
const CLOSE_AFTER_SECS: u32 = 300;

const ORDERS: Site = Site {
    name: "wechat_pay",
    usual: "https://api.mch.weixin.qq.com",
};

pub(crate) const KIND: Kind = Kind {
    name: "wechat_v2",
    platform: "wechat_pay",
    sites: &[ORDERS, login::EXCHANGES, login::PAGES],
    label: ["微信支付", "WeChat Pay"],
    wallets: &[Wallet::WeChat],
    fields: &[
        Field {
            name: "app_id",
            secret: false,
            required: true,
            identity: true,
            help: "the public account's, mini-program's or app's id (wx…), bound to the merchant number",
        },
        Field {
            name: "mch_id",
            secret: false,
            required: true,
            identity: true,
            help: "the merchant number, from the merchant platform's account page",
        },
        Field {
            name: "sub_mch_id",
            secret: false,
            required: false,
            identity: true,
            help: "only for a service provider (服务商): the sub-merchant that gets the money; one \
                   channel for each. app_id, mch_id, key and certificate are then the provider's",
        },
        Field {
            name: "sub_appid",
            secret: false,
            required: false,
            identity: true,
            help: "only with sub_mch_id: the sub-merchant's own application, if payers meet it \
                   there; their openids are then of this one",
        },
        Field {
            name: "api_v2_key",
            secret: true,
            required: true,
            identity: false,
            help: "32 characters, set in the merchant platform under API security; a service \
                   provider's own",
        },
        Field {
            name: "previous_api_v2_key",
            secret: true,
            required: false,
            identity: false,
            help: "the key before, while it is being changed; kept by itself when a new \
                   api_v2_key comes with previous_api_v2_key_until",
        },
        Field {
            name: "previous_api_v2_key_until",
            secret: false,
            required: false,
            identity: false,
            help: "until when what is signed with the previous key is believed, RFC 3339; at most \
                   7 days",
        },
        Field {
            name: "sign_type",
            secret: false,
            required: false,
            identity: false,
            help: "HMAC-SHA256 (default) or MD5",
        },
        Field {
            name: "close_after_secs",
            secret: false,
            required: false,
            identity: false,
            help: "how old an order must be before it is closed at the platform, in seconds: 300 \
                   (default), as the manual says; less where the platform closes sooner for you",
        },
        Field {
            name: "client_certificate",
            secret: true,
            required: false,
            identity: false,
            help: "apiclient_cert.pem as text; refunds and reverses need it. From the merchant \
                   platform under API security, API certificate",
        },
        Field {
            name: "client_key",
            secret: true,
            required: false,
            identity: false,
            help: "apiclient_key.pem as text, from the same archive as client_certificate",
        },
        Field {
            name: "client_p12",
            secret: true,
            required: false,
            identity: false,
            help: "in the place of those two: apiclient_cert.p12, in base64",
        },
        Field {
            name: "client_p12_password",
            secret: true,
            required: false,
            identity: false,
            help: "what opens client_p12; mch_id when left out, as WeChat Pay sets it",
        },
        Field {
            name: "app_secret",
            secret: true,
            required: false,
            identity: false,
            help: "the AppSecret of app_id (of sub_appid, if there is one); payers who come with a \
                   login code need it, and the checkout page inside WeChat. From the public \
                   account's or mini-program's platform under basic configuration",
        },
        Field {
            name: "app_kind",
            secret: false,
            required: false,
            identity: false,
            help: "official_account or mini_program: what app_id is (sub_appid, if there is one). \
                   With mini_program the checkout page inside WeChat shows a code: WeChat does not \
                   tell a mini-program who reads a web page",
        },
    ],
    rotation: Some(ROTATION),
    open: |settings, addresses| Ok(Box::new(Account::open(settings, addresses)?)),
};

const ROTATION: Rotation = Rotation {
    present: "api_v2_key",
    previous: "previous_api_v2_key",
    until: "previous_api_v2_key_until",
};

struct Account {
    base_url: String,
    app_id: String,
    mch_id: String,
    /// Whom a service provider acts for: its key signs for all of them.
    sub: Option<SubMerchant>,
    /// Signs whatever we send.
    key: ApiKey,
    /// What the platform may still sign with, and until when.
    previous: Option<(ApiKey, Timestamp)>,
    sign_type: SignType,
    close_after_secs: u32,
    app: Option<login::App>,
    app_kind: Option<AppKind>,
    certificate: Option<Certificate>,
}

struct SubMerchant {
    mch_id: String,
    app_id: Option<String>,
}

impl Account {
    fn open(settings: &Settings, addresses: &Addresses) -> Result<Self, SettingsError> {
        let key = api_key("api_v2_key", settings.required("api_v2_key")?)?;
        let previous = match ROTATION.previous(settings)? {
            Some((key, until)) => Some((api_key(ROTATION.previous, key)?, until)),
            None => None,
        };
        let sign_type = match settings.get("sign_type") {
            None => SignType::HmacSha256,
            Some(word) => SignType::from_word(word)
                .ok_or_else(|| SettingsError::new("sign_type", "is neither HMAC-SHA256 nor MD5"))?,
        };
        let mch_id = number(settings, "mch_id")?;
        Ok(Self {
            base_url: addresses.of(&ORDERS).to_owned(),
            app_id: number(settings, "app_id")?,
            sub: sub_merchant(settings)?,
            key,
            previous,
            sign_type,
            close_after_secs: close_after_secs(settings)?,
            app: login::App::read(settings, addresses)?,
            app_kind: AppKind::read(settings)?,
            certificate: certificate::read(settings, &mch_id)?,
            mch_id,
        })
    }

    fn head(&self, nonce: &str) -> RequestHead {
        RequestHead {
            appid: self.app_id.clone(),
            mch_id: self.mch_id.clone(),
            sub_appid: self.sub_app_id().map(str::to_owned),
            sub_mch_id: self.sub.as_ref().map(|sub| sub.mch_id.clone()),
            nonce_str: nonce.to_owned(),
            // Absent means MD5; older endpoints know no other way to say it.
            sign_type: (self.sign_type != SignType::Md5).then_some(self.sign_type),
        }
    }

    fn order(
        &self,
        order: &Order<'_>,
        nonce: &str,
    ) -> Result<unified_order::Request, ChannelError> {
        let trade_type = match order.scene {
            Scene::Native => TradeType::Native,
            Scene::Jsapi | Scene::MiniProgram => TradeType::Jsapi,
            Scene::App => TradeType::App,
            Scene::H5 => TradeType::Mweb,
            Scene::Barcode => return Err(ChannelError::UnsupportedScene(order.scene)),
        };
        // The order is this person's alone.
        let payer = match (&trade_type, order.payer) {
            (TradeType::Jsapi, None) => {
                return Err(unsendable(
                    "payer.openid",
                    "is missing: only one person can pay it",
                ));
            }
            (TradeType::Jsapi, openid) => openid.map(str::to_owned),
            _ => None,
        };
        let (openid, sub_openid) = match self.sub_app_id() {
            Some(_) => (None, payer),
            None => (payer, None),
        };
        // The platform compares it with the payer's.
        if trade_type == TradeType::Mweb && order.client_ip.is_none() {
            return Err(unsendable("client_ip", "is missing: the payer's address"));
        }
        let site = SceneInfo::site(order.pages.site, order.subject);
        let scene_info = (trade_type == TradeType::Mweb).then(|| site.to_json());
        // Required for NATIVE; the number says all there is to say.
        let product_id = (trade_type == TradeType::Native).then(|| order.out_trade_no.to_owned());
        Ok(unified_order::Request {
            head: self.head(nonce),
            body: order.subject.to_owned(),
            out_trade_no: order.out_trade_no.to_owned(),
            total_fee: total_fee(order)?,
            spbill_create_ip: order.client_ip.unwrap_or("127.0.0.1").to_owned(),
            notify_url: order.notify_url.to_owned(),
            trade_type,
            optional: Optional {
                time_start: beijing(order.created_at),
                time_expire: beijing(order.expires_at.max(order.created_at + LEAST_LIFE)),
                product_id,
                openid,
                sub_openid,
                scene_info,
                ..Optional::default()
            },
        })
    }

    /// The order of a payer whose code has been scanned.
    fn code_payment(
        &self,
        order: &Order<'_>,
        nonce: &str,
    ) -> Result<micropay::Request, ChannelError> {
        // The code was in the hand of whoever wrote the order down. Without it
        // there is nothing to send: a second order would need a second code.
        let auth_code = order
            .auth_code
            .and_then(AuthCode::new)
            .ok_or_else(|| unsendable("auth_code", "is not the payment code of a WeChat wallet"))?;
        Ok(micropay::Request {
            head: self.head(nonce),
            body: order.subject.to_owned(),
            out_trade_no: order.out_trade_no.to_owned(),
            total_fee: total_fee(order)?,
            spbill_create_ip: order.client_ip.unwrap_or("127.0.0.1").to_owned(),
            auth_code,
            optional: micropay::Optional {
                time_start: beijing(order.created_at),
                time_expire: beijing(order.created_at + LIFE_AT_A_TILL),
                ..micropay::Optional::default()
            },
        })
    }

    fn query(&self, out_trade_no: &str, nonce: &str) -> order_query::Request {
        order_query::Request {
            head: self.head(nonce),
            order: order_query::OrderNo::OutTradeNo(out_trade_no.to_owned()),
            version: None,
        }
    }

    fn post(&self, path: &str, mut fields: Fields<'_>) -> Result<Request<Bytes>, ChannelError> {
        sign::insert_sign(&mut fields, &self.key, self.sign_type);
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.base_url))
            .header(http::header::CONTENT_TYPE, "text/xml; charset=utf-8")
            .body(Bytes::from(fields.write()));
        let mut request = request.map_err(|error| ChannelError::Unsendable {
            field: "platforms.wechat_pay",
            detail: format!("is not an address: {error}"),
        })?;
        // The platform wants to see the merchant's certificate for these.
        if path.starts_with("/secapi/")
            && let Some(certificate) = &self.certificate
        {
            request
                .extensions_mut()
                .insert(certificate.identity.clone());
        }
        Ok(request)
    }

    fn merchants(&self) -> Merchants<'_> {
        Merchants {
            appid: &self.app_id,
            mch_id: &self.mch_id,
            sub_appid: self.sub_app_id(),
            sub_mch_id: self.sub.as_ref().map(|sub| &*sub.mch_id),
        }
    }

    /// What the platform may sign with by now: the key, and for a while the one
    /// before it.
    fn keys(&self, now: Timestamp) -> impl Iterator<Item = &ApiKey> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        std::iter::once(&self.key).chain(previous.map(|(key, _)| key))
    }

    /// The key is being changed: until both sides have it, a refused signature
    /// says nothing.
    fn is_changing_keys(&self, now: Timestamp) -> bool {
        self.keys(now).count() > 1
    }

    fn verify(
        &self,
        fields: &Fields<'_>,
        sign_type: SignType,
        now: Timestamp,
    ) -> Result<(), SignError> {
        let verify = |key| sign::verify(fields, key, sign_type);
        let by_present = verify(&self.key);
        let by_any = || self.keys(now).any(|key| verify(key).is_ok());
        by_present.or_else(|error| if by_any() { Ok(()) } else { Err(error) })
    }

    /// Whether a message is about this account. One that is about another
    /// sub-merchant of the same provider has a good signature all the same.
    fn check(&self, told: Merchants<'_>) -> Result<(), NotANotification> {
        let Err(stranger) = told.check(self.merchants()) else {
            return Ok(());
        };
        let reason = match stranger.field {
            "sub_mch_id" | "sub_appid" => "other_sub_merchant",
            _ => "other_account",
        };
        let detail = format!("{stranger}: {told:?}");
        Err(NotANotification { reason, detail })
    }

    fn sub_app_id(&self) -> Option<&str> {
        self.sub.as_ref()?.app_id.as_deref()
    }

    /// The payer's name in the application where the payer is met: the
    /// sub-merchant's own, if it has one.
    fn payer(&self, payer: &Payer) -> Option<String> {
        match self.sub_app_id() {
            Some(_) => payer.sub_openid.clone(),
            None => payer.openid.clone(),
        }
    }

    /// `None` when the amount or the currency cannot be represented.
    fn receipt(
        &self,
        amounts: &Amounts,
        transaction_id: &str,
        payer: &Payer,
        paid_at: Option<BeijingTime>,
    ) -> Option<Receipt> {
        let currency = match amounts.fee_type.as_deref() {
            None => Currency::CNY,
            Some(code) => code.parse().ok()?,
        };
        Some(Receipt {
            amount: Money::new(i64::try_from(amounts.total_fee).ok()?, currency),
            transaction_id: transaction_id.to_owned(),
            payer: self.payer(payer),
            paid_at: paid_at.map(|at| Timestamp::from_secs(at.unix_secs())),
        })
    }
}

impl Channel for Account {
    fn close_after_secs(&self) -> u32 {
        self.close_after_secs
    }

    fn certificate_until(&self) -> Option<Timestamp> {
        Some(self.certificate.as_ref()?.until)
    }

    fn scenes(&self) -> &'static [Scene] {
        &Scene::ALL
    }

    fn encode(&self, call: &Call<'_>, stamp: &Stamp) -> Result<Request<Bytes>, ChannelError> {
        match call {
            Call::Start(order) if order.scene == Scene::Barcode => self.post(
                "/pay/micropay",
                self.code_payment(order, &stamp.nonce)?.to_fields(),
            ),
            Call::Start(order) => self.post(
                "/pay/unifiedorder",
                self.order(order, &stamp.nonce)?.to_fields(),
            ),
            Call::Query { out_trade_no } => self.post(
                "/pay/orderquery",
                self.query(out_trade_no, &stamp.nonce).to_fields(),
            ),
            Call::Close { out_trade_no } => {
                let request = close_order::Request {
                    head: self.head(&stamp.nonce),
                    out_trade_no: (*out_trade_no).to_owned(),
                };
                self.post("/pay/closeorder", request.to_fields())
            }
            Call::Reverse { out_trade_no } => {
                let request = reverse::Request {
                    head: self.head(&stamp.nonce),
                    order: order_query::OrderNo::OutTradeNo((*out_trade_no).to_owned()),
                };
                self.post("/secapi/pay/reverse", request.to_fields())
            }
        }
    }

    fn decode(&self, call: &Call<'_>, response: &Response<Bytes>, now: Timestamp) -> Answer {
        Answer {
            grade: Grade::Strong,
            outcome: answers::read(self, call, response, now),
        }
    }

    fn login(&self, scene: Scene) -> Result<&dyn Login, ChannelError> {
        if scene == Scene::Jsapi && self.app_kind == Some(AppKind::MiniProgram) {
            return Err(ChannelError::NoPages(login::NO_PAGES));
        }
        match (scene, &self.app) {
            (Scene::Jsapi | Scene::MiniProgram, Some(app)) => Ok(app),
            (Scene::Jsapi | Scene::MiniProgram, None) => {
                Err(ChannelError::NoAppSecret(login::NO_APP_SECRET))
            }
            (Scene::Native | Scene::App | Scene::H5 | Scene::Barcode, _) => {
                Err(ChannelError::UnsupportedScene(scene))
            }
        }
    }

    fn leads_back(&self, url: &str, page: &str) -> String {
        mweb::with_redirect_url(url, page)
    }

    fn can_refund(&self) -> Result<(), ChannelError> {
        refunds::can(self)
    }

    fn encode_refund(
        &self,
        call: &RefundCall<'_>,
        stamp: &Stamp,
    ) -> Result<Request<Bytes>, ChannelError> {
        refunds::encode(self, call, stamp)
    }

    fn decode_refund(
        &self,
        call: &RefundCall<'_>,
        response: &Response<Bytes>,
        now: Timestamp,
    ) -> RefundAnswer {
        RefundAnswer {
            grade: Grade::Strong,
            outcome: refunds::decode(self, call, response, now),
        }
    }

    fn notification(
        &self,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Result<Notification, NotANotification> {
        let refuse = |reason, detail: String| NotANotification { reason, detail };
        let fields = Fields::read(request.body())
            .map_err(|error| refuse(error.label(), error.to_string()))?;
        if fields.get("req_info").is_some() {
            return refunds::notification(self, &fields, now);
        }
        let sign_type = sign_type_of_notification(&fields, self.sign_type);
        // One that is signed consistently, but not as its order was, has been
        // seen from the platform: not believed, yet worth a question.
        let (sign_type, as_ordered) = match sign_type {
            Ok(sign_type) => (sign_type, true),
            Err(sign::SignTypeError::Differs(other)) => (other, false),
            Err(error) => return Err(refuse("sign_type", error.to_string())),
        };
        self.verify(&fields, sign_type, now)
            .map_err(|error| refuse(error.label(), error.to_string()))?;
        let message = notification::Notification::from_fields(&fields)
            .map_err(|error| refuse(error.label(), error.to_string()))?;
        let Reply::Done { head, content } = message else {
            let detail = "only successful payments are notified".to_owned();
            return Err(refuse("not_a_success", detail));
        };
        self.check(head.merchants())?;
        let grade = if as_ordered && sign::is_unambiguous(&fields) {
            Grade::Shared
        } else {
            Grade::Weak
        };
        let paid_at = Some(content.time_end);
        let (amounts, id) = (&content.amounts, &content.transaction_id);
        let receipt = self
            .receipt(amounts, id, &content.payer, paid_at)
            .ok_or_else(|| refuse("field_malformed", "amount or currency".to_owned()))?;
        Ok(Notification {
            out_trade_no: content.out_trade_no,
            grade,
            told: Told::Payment(Outcome::Success { receipt }),
        })
    }

    fn received(&self) -> Response<Bytes> {
        acknowledge(&Acknowledgement::Success)
    }

    fn refused(&self) -> Response<Bytes> {
        acknowledge(&Acknowledgement::Fail {
            return_msg: "REFUSED".to_owned(),
        })
    }

    fn probe(&self, stamp: &Stamp) -> Result<Request<Bytes>, ChannelError> {
        // A number that no order has: the answer is signed, and harmless.
        let number = format!("probe{}", stamp.now.as_millis());
        self.post(
            "/pay/orderquery",
            self.query(&number, &stamp.nonce).to_fields(),
        )
    }

    fn diagnose(&self, response: &Response<Bytes>, now: Timestamp) -> Diagnosis {
        doctor::diagnose(self, response, now)
    }
}

fn unsendable(field: &'static str, detail: &str) -> ChannelError {
    ChannelError::Unsendable {
        field,
        detail: detail.to_owned(),
    }
}

fn total_fee(order: &Order<'_>) -> Result<u64, ChannelError> {
    if order.amount.currency() != Currency::CNY {
        return Err(unsendable("currency", "WeChat Pay v2 collects CNY"));
    }
    u64::try_from(order.amount.minor()).map_err(|_| unsendable("amount", "is below zero"))
}

fn beijing(at: Timestamp) -> Option<BeijingTime> {
    BeijingTime::from_unix_secs(at.as_secs())
}

fn api_key(name: &'static str, text: &str) -> Result<ApiKey, SettingsError> {
    let key = ApiKey::new(text).map_err(|error| {
        let cure = match error {
            ApiKeyError::Length => "; copy it again, without a line end",
            _ => "; set one in the merchant platform under API security",
        };
        SettingsError::new(name, format!("{error}{cure}"))
    })?;
    if key.is_published_sample() {
        let detail = "is printed in a manual, so everybody can sign with it; set another one";
        return Err(SettingsError::new(name, detail));
    }
    Ok(key)
}

fn close_after_secs(settings: &Settings) -> Result<u32, SettingsError> {
    let name = "close_after_secs";
    let Some(text) = settings.get(name) else {
        return Ok(CLOSE_AFTER_SECS);
    };
    let secs = text.parse().ok().filter(|secs| *secs <= CLOSE_AFTER_SECS);
    secs.ok_or_else(|| SettingsError::new(name, "is not a number of seconds from 0 to 300"))
}

fn sub_merchant(settings: &Settings) -> Result<Option<SubMerchant>, SettingsError> {
    let optional = |name| {
        settings
            .get(name)
            .map(|_| number(settings, name))
            .transpose()
    };
    match (optional("sub_mch_id")?, optional("sub_appid")?) {
        (Some(mch_id), app_id) => Ok(Some(SubMerchant { mch_id, app_id })),
        (None, None) => Ok(None),
        (None, Some(_)) => {
            let detail = "is missing; it is the sub-merchant that sub_appid belongs to";
            Err(SettingsError::new("sub_mch_id", detail))
        }
    }
}

fn number(settings: &Settings, name: &'static str) -> Result<String, SettingsError> {
    let text = settings.required(name)?;
    if text.len() > 32 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(SettingsError::new(
            name,
            "is not 1 to 32 letters and digits; copy it again",
        ));
    }
    Ok(text.to_owned())
}

/// HTTP 200 in both cases: the words inside are the answer.
fn acknowledge(words: &Acknowledgement) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(words.to_fields().write()));
    let xml = http::HeaderValue::from_static("text/xml; charset=utf-8");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, xml);
    response
}
