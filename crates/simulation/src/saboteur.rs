//! Planted bugs: realistic mistakes, made on purpose, so that it is known that
//! the invariants would find them.
//!
//! Each is planted where its effect would show: in what a decision writes, in
//! what the database does with it, or in what goes out on the wire. The
//! program's own code is left alone, so nothing of this can ever ship.

mod change;
mod channel;

use tongbao_core::Payment;
use tongbao_core::channel::ChannelAccount;
use tongbao_store::{Change, DeliveryClaim, DeliveryOutcome, DeliveryResult};

macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $name:ident),+ $(,)?) => {
        /// One mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Bug {
            $($(#[doc = $doc])+ $name),+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What the mistake is, in words.
            pub const fn what(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+)),+
                }
            }
        }
    };
}

bugs! {
    /// The merchant is answered before the payment is written
    ReplyBeforeCommit,
    /// The amount that is sent is not the one that is written
    AmountOnWireDiffers,
    /// The platform is acknowledged before the effect is written
    AcknowledgeBeforeCommit,
    /// A retry of the same order bears a new number
    NewNumberOnRetry,
    /// The version is not compared: the last writer wins
    LastWriterWins,
    /// The version rises by two
    VersionSkips,
    /// The order number is not unique in the database
    OrderNumberNotUnique,
    /// Only the payment's row is written, not its attempts
    AttemptsNotWritten,
    /// The timeline misses what channels report
    TimelineMissesReports,
    /// The message that led to a change is not kept
    InboxNotWritten,
    /// After a few changes nobody asks the platform any more
    PollingGivesUp,
    /// A query is planned a month ahead
    QueriesMuchTooLate,
    /// Payments do not expire
    ExpiryForgotten,
    /// An attempt that is to be closed is not
    ClosesForgotten,
    /// Ended attempts are not looked at again
    LateMoneyNotLookedFor,
    /// A payment is closed here without asking the platform
    CloseWithoutAsking,
    /// An order is closed at the platform however young it is
    ClosedTooYoung,
    /// No answer to an order is taken for a failure
    SilenceTakenForFailure,
    /// No answer to a close is taken for success
    SilenceTakenForClosed,
    /// A query that finds nothing ends the attempt at once
    NotFoundTakenForFailure,
    /// A QR code is taken for a payment
    AcceptedTakenForPaid,
    /// A later "not paid" overwrites "paid"
    StaleAnswerOverwritesPaid,
    /// A closed attempt becomes open again
    ClosedAttemptReopens,
    /// Late money reopens a closed payment although the merchant does not want it
    LateMoneyAccepted,
    /// The amount that came is not compared with what was asked
    AmountNotCompared,
    /// What was received is overwritten by a second message
    ReceivedOverwritten,
    /// The amount is stored in yuan where fen are meant
    AmountChangesUnits,
    /// Money that should not be there opens no case
    CaseNotOpened,
    /// A case is taken for one of another number that bears the same trade
    CaseOfAnyNumber,
    /// The merchant is not told
    WebhookForgotten,
    /// The merchant is told twice, under two ids
    WebhookUnderTwoIds,
    /// The merchant is told "paid" when the payer has only seen the code
    WebhookTooEarly,
    /// The merchant is told "closed" after "paid"
    ClosedToldAfterPaid,
    /// Webhooks bear no sequence
    WebhookWithoutSequence,
    /// A repeated webhook has another text
    WebhookTextChanges,
    /// A repeated webhook has another id
    WebhookIdChanges,
    /// A webhook counts as delivered whatever the endpoint answered
    AnyAnswerIsDelivered,
    /// A webhook is given up after its first failure
    WebhookGivenUp,
    /// What a dead process had claimed is forgotten
    ClaimsDieWithTheirHolder,
    /// A holder who was overtaken finishes all the same
    FenceNotCompared,
    /// No answer to an order is written down as the platform's refusal
    SilenceWrittenAsRefusal,
    /// The late looks at an ended attempt end after four hours
    LateLooksEndEarly,
    /// Whoever has work due is looked for ten minutes late
    LooksTooLate,
    /// All endpoints share one lane
    OneLaneForAll,
    /// A refused message is written down as a genuine one
    ForgeryWrittenAsGenuine,
    /// The key of a channel is logged
    KeyInTheLog,
    /// The key of a channel is kept with a webhook's answer
    KeyInTheDatabase,
    /// Money that was accepted opens a case as well
    CaseForAcceptedMoney,
    /// No answer to a payer's code is taken for a failure
    CodeSilenceTakenForFailure,
    /// A payer's code is sent a second time
    CodeSentTwice,
    /// A payer who types a password is taken for one who has paid
    UserPayingTakenForPaid,
    /// A payment at a till is reversed without asking whether it was paid
    ReverseWithoutQuery,
    /// A reverse is given up when the platform wants to be called again
    ReverseGivenUp,
    /// A reverse that was accepted is taken for done
    ReverseTakenForDone,
    /// Money that comes while it is being reversed is taken for paid
    ReversedMoneyTakenForPaid,
    /// A payer at a till is asked about at the pace of one with a QR code
    TillNotHurried,
    /// A retry of the same refund bears a new number
    NewRefundNumberOnRetry,
    /// A refund that the platform has taken counts as done
    TakenForRefunded,
    /// A refund that the platform does not find is closed at once
    RefundNotFoundTakenForClosed,
    /// What a message says of a refund is believed
    RefundMessageBelieved,
    /// A refund whose answer is lost no longer counts against what was paid
    UnknownRefundNotCounted,
    /// Nobody asks about refunds
    RefundsNotAskedAbout,
    /// A login code that comes twice makes two attempts
    LoginCodeMakesTwo,
    /// An order for one payer is written down without the payer
    PayerNotWritten,
    /// What goes back in a day without a person is not held against its limit
    DayLimitNotChecked,
    /// What goes back of one case without a person is not held against its limit
    CaseLimitNotChecked,
    /// Money goes back by itself although the merchant has switched that off
    OffSwitchNotRead,
    /// A case's money is sent back by the gateway, and by a person as well
    CaseRefundedTwice,
    /// A case's money goes back out of the attempt that paid
    CaseRefundedOutOfThePaidAttempt,
    /// Late money is accepted, and goes back as well
    LateMoneyAcceptedAndRefunded,
    /// A case is resolved when its refund has only been asked for
    CaseResolvedBeforeItsRefund,
    /// Nobody sees to cases
    CasesNotSeenTo,
    /// A claim that the platform denies stays open
    DeniedClaimStaysOpen,
    /// What a till starts does not bear its name
    TillForgotten,
    /// What is told of one sub-merchant is taken for another's of the same provider
    SubMerchantNotCompared,
    /// A service provider asks for itself, and not for its sub-merchant
    SubMerchantNotSent,
    /// All channels of a service provider ask for the first of its sub-merchants
    SubMerchantsMixedUp,
    /// A payer's name in the sub-merchant's application is sent as one in the
    /// provider's
    SubOpenidAsOpenid,
    /// A key that was replaced is believed for ever
    OldKeyNeverEnds,
    /// From the moment of the new key on the old one is not believed any more
    NewKeyAlone,
}

impl Bug {
    /// The change is answered at once and written a while later.
    pub(crate) fn writes_behind(self, change: &Change) -> bool {
        match self {
            Self::ReplyBeforeCommit => change
                .payment
                .as_ref()
                .is_some_and(|change| change.read_version.is_none()),
            Self::AcknowledgeBeforeCommit => change.inbox.is_some(),
            _ => false,
        }
    }

    /// What the mistake makes of a change.
    pub(crate) fn tamper(self, change: &mut Change, before: Option<&Payment>) {
        change::tamper(self, change, before);
    }

    /// What the mistake makes of a channel that is read, beside all of them.
    pub(crate) fn tamper_channel<'a>(
        self,
        channel: &mut ChannelAccount,
        all: impl IntoIterator<Item = &'a ChannelAccount>,
    ) {
        match self {
            Self::SubMerchantNotSent => channel::not_sent(channel),
            Self::SubMerchantsMixedUp => channel::mixed_up(channel, all),
            Self::OldKeyNeverEnds => channel::old_key_until(channel, "2099-01-01T00:00:00Z"),
            Self::NewKeyAlone => channel::old_key_until(channel, "2020-01-01T00:00:00Z"),
            _ => {}
        }
    }

    /// What the mistake makes of a delivery that is about to go out.
    pub(crate) fn tamper_claim(self, claim: &mut DeliveryClaim) {
        match self {
            Self::WebhookTextChanges if claim.tries > 0 => claim.event.body.push(' '),
            Self::WebhookIdChanges if claim.tries > 0 => {
                use tongbao_core::id::Id;
                let bits = claim.event.id.bits().wrapping_add(u128::from(claim.tries));
                claim.event.id = Id::from_bits(bits);
            }
            _ => {}
        }
    }

    /// What the mistake makes of a delivery's result.
    pub(crate) fn tamper_result(self, result: &mut DeliveryResult) {
        match self {
            Self::AnyAnswerIsDelivered if result.status.is_some() => {
                result.outcome = DeliveryOutcome::Delivered;
            }
            Self::KeyInTheDatabase => result.answer.push_str(crate::world::SECOND_KEY),
            Self::WebhookGivenUp if result.outcome != DeliveryOutcome::Delivered => {
                result.outcome = DeliveryOutcome::Exhausted;
            }
            _ => {}
        }
    }
}
