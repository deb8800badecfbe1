//! What a query and a notification both say of a trade.

use super::field::FieldError;
use super::number;
use super::xml::Fields;
use crate::word::words;

words!(
    /// Where the payer pays.
    TradeType {
        /// In a page of a public account, or in a mini-program.
        Jsapi = "JSAPI",
        /// By scanning the merchant's code.
        Native = "NATIVE",
        App = "APP",
        /// In a mobile browser, the product called H5.
        Mweb = "MWEB",
        /// The merchant scans the payer's code.
        Micropay = "MICROPAY",
        /// By face; seen in bills.
        Facepay = "FACEPAY",
    }
);

words!(
    /// What has become of an order.
    TradeState {
        NotPay = "NOTPAY",
        /// The payer has been asked for the password.
        UserPaying = "USERPAYING",
        /// Accepted, the money not yet taken.
        Accept = "ACCEPT",
        Success = "SUCCESS",
        /// Was paid, and a refund was accepted since, be it partial or still under way.
        Refund = "REFUND",
        Closed = "CLOSED",
        /// A code payment that was reversed.
        Revoked = "REVOKED",
        PayError = "PAYERROR",
    }
);

words!(
    /// Who pays for a coupon.
    CouponType {
        /// The issuer, in advance: part of the settlement.
        Cash = "CASH",
        /// Nobody: missing from the settlement.
        NoCash = "NO_CASH",
    }
);

/// Who paid. An `openid` has a meaning only under the application it was given for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payer {
    /// Under `appid`.
    pub openid: Option<String>,
    /// `Y` or `N`; always `N` since April 2026.
    pub is_subscribe: Option<String>,
    /// Under `sub_appid`.
    pub sub_openid: Option<String>,
    /// As `is_subscribe`.
    pub sub_is_subscribe: Option<String>,
}

/// How much, in fen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// The order's amount: the one to compare.
    pub total_fee: u64,
    /// Less the coupons that nobody paid for; only sent when there was one.
    pub settlement_total_fee: Option<u64>,
    /// Absent means `CNY`.
    pub fee_type: Option<String>,
    /// What the payer gave.
    pub cash_fee: Option<u64>,
    /// Absent means `CNY`.
    pub cash_fee_type: Option<String>,
    /// All coupons together.
    pub coupon_fee: Option<u64>,
    /// May stand alone, without the list.
    pub coupon_count: Option<u64>,
    /// In the order of their numbers, from 0 up to the first gap.
    pub coupons: Vec<Coupon>,
}

/// One coupon; the platform leaves any of the three out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coupon {
    /// The platform's number for it.
    pub coupon_id: Option<String>,
    /// Who pays for it.
    pub coupon_type: Option<CouponType>,
    /// In fen.
    pub coupon_fee: Option<u64>,
}

impl Payer {
    pub(super) fn from_fields(fields: &Fields<'_>) -> Self {
        Self {
            openid: fields.text("openid"),
            is_subscribe: fields.text("is_subscribe"),
            sub_openid: fields.text("sub_openid"),
            sub_is_subscribe: fields.text("sub_is_subscribe"),
        }
    }

    pub(super) fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.put("openid", self.openid.as_deref());
        fields.put("is_subscribe", self.is_subscribe.as_deref());
        fields.put("sub_openid", self.sub_openid.as_deref());
        fields.put("sub_is_subscribe", self.sub_is_subscribe.as_deref());
    }
}

impl Amounts {
    /// `None` without a total, as in a query of an order that was closed unpaid.
    pub(super) fn from_fields(fields: &Fields<'_>) -> Result<Option<Self>, FieldError> {
        let Some(total_fee) = fields.number("total_fee")? else {
            return Ok(None);
        };
        let coupon_fee = fields.number("coupon_fee")?;
        let coupon_count = fields.number("coupon_count")?;
        let has_coupons = coupon_fee.is_some() || coupon_count.is_some();
        Ok(Some(Self {
            total_fee,
            settlement_total_fee: fields.number("settlement_total_fee")?,
            fee_type: fields.text("fee_type"),
            cash_fee: fields.number("cash_fee")?,
            cash_fee_type: fields.text("cash_fee_type"),
            coupon_fee,
            coupon_count,
            coupons: if has_coupons {
                Coupon::list(fields)?
            } else {
                Vec::new()
            },
        }))
    }

    pub(super) fn add_to<'a>(&'a self, fields: &mut Fields<'a>) {
        fields.put_shown("total_fee", Some(self.total_fee));
        fields.put_shown("settlement_total_fee", self.settlement_total_fee);
        fields.put("fee_type", self.fee_type.as_deref());
        fields.put_shown("cash_fee", self.cash_fee);
        fields.put("cash_fee_type", self.cash_fee_type.as_deref());
        fields.put_shown("coupon_fee", self.coupon_fee);
        fields.put_shown("coupon_count", self.coupon_count);
        for (n, coupon) in self.coupons.iter().enumerate() {
            coupon.add_to(fields, n);
        }
    }
}

impl Coupon {
    fn list(fields: &Fields<'_>) -> Result<Vec<Self>, FieldError> {
        let mut coupons = Vec::new();
        while let Some(coupon) = Self::numbered(fields, coupons.len())? {
            coupons.push(coupon);
        }
        Ok(coupons)
    }

    fn numbered(fields: &Fields<'_>, n: usize) -> Result<Option<Self>, FieldError> {
        let malformed = FieldError::Malformed("coupon_fee_$n");
        let fee = fields.present(&format!("coupon_fee_{n}"));
        let coupon = Self {
            coupon_id: fields.text(&format!("coupon_id_{n}")),
            coupon_type: fields
                .present(&format!("coupon_type_{n}"))
                .map(CouponType::from),
            coupon_fee: fee
                .map(|fee| number::parse(fee).ok_or(malformed))
                .transpose()?,
        };
        Ok((coupon != Self::default()).then_some(coupon))
    }

    fn add_to<'a>(&'a self, fields: &mut Fields<'a>, n: usize) {
        if let Some(id) = &self.coupon_id {
            fields.insert(format!("coupon_id_{n}"), &**id);
        }
        if let Some(kind) = &self.coupon_type {
            fields.insert(format!("coupon_type_{n}"), kind.as_str());
        }
        if let Some(fee) = self.coupon_fee {
            fields.insert(format!("coupon_fee_{n}"), fee.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coupons_are_read_where_their_sum_or_their_number_says_that_there_are_some() {
        for (said, listed) in [
            (Some("coupon_fee"), 1),
            (Some("coupon_count"), 1),
            (None, 0),
        ] {
            let mut fields = Fields::from_iter([("total_fee", "100"), ("coupon_fee_0", "1")]);
            fields.put(said.unwrap_or("attach"), Some("1"));
            let amounts = Amounts::from_fields(&fields).unwrap().unwrap();
            assert_eq!(amounts.coupons.len(), listed, "{said:?}");
        }
    }

    #[test]
    fn an_unknown_word_is_kept_as_it_came() {
        assert_eq!(TradeState::from("SUCCESS"), TradeState::Success);
        assert_eq!(
            TradeState::from("success"),
            TradeState::Other("success".into())
        );
        assert_eq!(TradeState::from("success").to_string(), "success");
    }
}
