//! What a reply, a query and a notification all say of a refund.

use super::field::FieldError;
use super::number;
use super::trade::CouponType;
use super::xml::Fields;
use crate::word::words;

words!(
    /// What has become of a refund.
    RefundStatus {
        /// Taken, and under way.
        Processing = "PROCESSING",
        /// The payer has the money.
        Success = "SUCCESS",
        /// Given up: the merchant keeps the money, and may ask again under a new number.
        RefundClose = "REFUNDCLOSE",
        /// The payer's card cannot take the money back; a person must act.
        Change = "CHANGE",
        /// On old pages only, for what is `CHANGE` or `REFUNDCLOSE` today.
        Fail = "FAIL",
    }
);

words!(
    /// Which way the money goes back.
    RefundChannel {
        /// To where it came from.
        Original = "ORIGINAL",
        /// To the payer's change.
        Balance = "BALANCE",
        /// To the payer's change, because the account it came from is abnormal.
        OtherBalance = "OTHER_BALANCE",
        /// To another card.
        OtherBankcard = "OTHER_BANKCARD",
    }
);

words!(
    /// Out of which of the merchant's money.
    RefundAccount {
        /// What is not settled yet; the rule.
        UnsettledFunds = "REFUND_SOURCE_UNSETTLED_FUNDS",
        /// What was put in for the purpose.
        RechargeFunds = "REFUND_SOURCE_RECHARGE_FUNDS",
    }
);

words!(
    /// Who asked for the refund.
    RefundRequestSource {
        Api = "API",
        /// A person, on the platform's pages: the gateway never issued its number.
        VendorPlatform = "VENDOR_PLATFORM",
    }
);

/// One coupon that goes back; the platform leaves any of the three out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefundCoupon {
    /// The platform's number for it.
    pub coupon_refund_id: Option<String>,
    /// Who paid for it.
    pub coupon_type: Option<CouponType>,
    /// In fen.
    pub coupon_refund_fee: Option<u64>,
}

/// Whose coupons: the digits that stand between a field's name and the coupon's number.
///
/// `coupon_refund_fee_1` is the second coupon in a refund's reply, and in a query's the sum of
/// all coupons of the second refund, whose first coupon is `coupon_refund_fee_1_0`.
#[derive(Clone, Copy)]
pub(super) enum Of {
    TheRefund,
    RefundNumber(usize),
}

impl RefundCoupon {
    /// In the order of their numbers, from 0 up to the first gap.
    pub(super) fn list(fields: &Fields<'_>, of: Of) -> Result<Vec<Self>, FieldError> {
        let mut coupons = Vec::new();
        while let Some(coupon) = Self::numbered(fields, of, coupons.len())? {
            coupons.push(coupon);
        }
        Ok(coupons)
    }

    fn numbered(fields: &Fields<'_>, of: Of, n: usize) -> Result<Option<Self>, FieldError> {
        let malformed = match of {
            Of::TheRefund => FieldError::Malformed("coupon_refund_fee_$n"),
            Of::RefundNumber(_) => FieldError::Malformed("coupon_refund_fee_$n_$m"),
        };
        let kind = fields.present(&of.name("coupon_type", n));
        let fee = fields.present(&of.name("coupon_refund_fee", n));
        let coupon = Self {
            coupon_refund_id: fields.text(&of.name("coupon_refund_id", n)),
            coupon_type: kind.map(CouponType::from),
            coupon_refund_fee: fee
                .map(|fee| number::parse(fee).ok_or(malformed))
                .transpose()?,
        };
        Ok((coupon != Self::default()).then_some(coupon))
    }

    pub(super) fn add_to<'a>(&'a self, fields: &mut Fields<'a>, of: Of, n: usize) {
        if let Some(kind) = &self.coupon_type {
            fields.insert(of.name("coupon_type", n), kind.as_str());
        }
        if let Some(id) = &self.coupon_refund_id {
            fields.insert(of.name("coupon_refund_id", n), &**id);
        }
        if let Some(fee) = self.coupon_refund_fee {
            fields.insert(of.name("coupon_refund_fee", n), fee.to_string());
        }
    }
}

impl Of {
    fn name(self, stem: &str, n: usize) -> String {
        match self {
            Self::TheRefund => format!("{stem}_{n}"),
            Self::RefundNumber(refund) => format!("{stem}_{refund}_{n}"),
        }
    }
}
