//! What the page says around the reference, in both languages.

use crate::pages::language::Language;

pub(super) struct Text {
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) contents: &'static str,
    pub(super) guide: &'static [Chapter],
    pub(super) reference: &'static str,
    pub(super) errors: Chapter,
    pub(super) status: &'static str,
    pub(super) code: &'static str,
    pub(super) meaning: &'static str,
    pub(super) parameters: &'static str,
    pub(super) body: &'static str,
    pub(super) answer: &'static str,
    pub(super) answers: &'static str,
    pub(super) required: &'static str,
    pub(super) machine: &'static str,
}

/// A chapter of the guide: paragraphs, then perhaps an example.
pub(super) struct Chapter {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) paragraphs: &'static [&'static str],
    pub(super) example: &'static str,
}

pub(super) const fn of(language: Language) -> &'static Text {
    match language {
        Language::Zh => &ZH,
        Language::En => &EN,
    }
}

const FIRST_CALL: &str = r#"export TONGBAO=http://127.0.0.1:8080
export TONGBAO_KEY=sk_…

curl "$TONGBAO/v1/payments" \
  -H "Authorization: Bearer $TONGBAO_KEY" \
  -H "Content-Type: application/json" \
  -d '{"merchant_order_no": "T20261121-0001", "amount": 1234, "subject": "豆浆 × 2"}'"#;

const WEBHOOK: &str = r#"POST /webhooks/tongbao
webhook-id: evt_01kb2v7q4w8z3n5m6r7t9x1c2d
webhook-timestamp: 1795233600
webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=

{"type": "payment.paid", "timestamp": "2026-11-21T04:00:00Z", "sequence": 4, "data": {"id": "pay_…", "state": "paid", …}}"#;

const PROBLEM: &str = r#"HTTP/1.1 422 Unprocessable Entity
content-type: application/problem+json
x-request-id: 01kb2v7q4w8z3n5m6r7t9x1c2d

{
  "type": "/docs#error-invalid_field",
  "title": "A field cannot be accepted",
  "status": 422,
  "code": "invalid_field",
  "detail": "amount: is 0; send fen as a whole number from 1 to 10000000000 (¥12.34 is 1234)",
  "field": "amount",
  "request_id": "01kb2v7q4w8z3n5m6r7t9x1c2d"
}"#;

const ZH: Text = Text {
    title: "接口文档",
    lead: "一套接口收微信支付等渠道的款：创建付款，把收银台链接或二维码给顾客，收到签名的通知后发货。",
    contents: "目录",
    guide: &[
        Chapter {
            id: "start",
            title: "第一次调用",
            paragraphs: &[
                "金额是整数，单位为分：¥12.34 写作 `1234`。密钥放在 `Authorization: Bearer sk_…` 里，只在服务器上使用。",
                "返回的 `checkout_url` 是给顾客的付款页面；想自己显示二维码，就在请求里加上 `\"attempt\": {\"scene\": \"native\"}`，用返回的 `attempts[0].action.code_url` 生成。",
            ],
            example: FIRST_CALL,
        },
        Chapter {
            id: "again",
            title: "重复发送是安全的",
            paragraphs: &[
                "`merchant_order_no` 是锚点：同一个订单号、同样的内容，永远得到同一笔付款；内容不同则得到 409 `order_no_conflict`，并指出哪个字段不同。超时之后，原样再发一次即可。",
                "每个 POST 都可以带 `Idempotency-Key`：同一个键、同样的请求得到同样的回答（带 `idempotency-replayed: true`），同一个键、不同的请求得到 422。",
            ],
            example: "",
        },
        Chapter {
            id: "states",
            title: "付款的状态",
            paragraphs: &[
                "`created`：还没有问过渠道。`pending`：顾客随时可能付款。`paid`：钱已收到。`closed`：不会再收到；如果渠道仍然收到钱，会记为一个异常（`/v1/cases`）。",
                "一次尝试（`attempt`）的 `unknown` 不是失败，而是一个还没有答案的问题：渠道没有回应，我们会一直问到有结果为止。此时请不要发货，也不要认为顾客没有付款。",
            ],
            example: "",
        },
        Chapter {
            id: "webhooks-guide",
            title: "接收通知",
            paragraphs: &[
                "通知遵循公开的 Standard Webhooks 规范，各种语言都有现成的库。用创建端点时得到的 `whsec_…` 验证签名；`webhook-id` 在每次重试中相同，处理过的请忽略。`sequence` 数的是一笔付款的变化，它的付款、退款和异常通知共用同一个计数：对同一个对象（`data.id` 相同），比已处理的小的就是旧消息；同一付款的两笔退款是两个对象，通知先后不定；不同付款之间不可比较。",
                "15 秒内返回 2xx 即为收到。否则按 15 秒、15 秒、30 秒、3 分、10 分……的间隔重试，前后共约 24 小时，并遵守 `Retry-After`。错过的可以用 `redeliver` 或 `replay` 再发。",
            ],
            example: WEBHOOK,
        },
        Chapter {
            id: "cases-guide",
            title: "不该收到的钱",
            paragraphs: &[
                "付了两次、关闭之后才付、金额不符：每一笔记为一个异常。`PATCH /v1/merchant` 打开 `auto_refund` 并给出每笔和每天的限额之后，限额以内的钱自动原路退回；打开 `accept_late` 之后，关闭以后收到的付款视为已付款。否则异常为 `needs_person`，`need` 写明原因，由人工用 `POST /v1/cases/{id}/resolve` 决定。退款一小时仍未被渠道受理（余额不足、证书过期、频率限制）时，异常为 `needs_person`，原因 `refund_waits`：退款会用原退款号继续重试，不要另退一笔。",
                "每个异常都以 `case.opened` 开始，以 `case.resolved` 结束；需要人工时还有 `case.needs_person`。异常款的退款只作为异常通知，不作为 `refund.…` 通知；只有异常已另行了结、钱却还是退了出去（渠道拒绝过的退款后来查明已成功），才以 `refund.succeeded` 告知。",
            ],
            example: "",
        },
    ],
    reference: "调用",
    errors: Chapter {
        id: "errors",
        title: "错误",
        paragraphs: &[
            "每个错误都是 `application/problem+json`（RFC 9457）。程序请只看 `code`，它不会变；`detail` 给人看，写明原因和办法；`request_id` 用来在日志里找到这次请求。",
        ],
        example: PROBLEM,
    },
    status: "状态码",
    code: "代码",
    meaning: "含义",
    parameters: "参数",
    body: "请求体",
    answer: "返回的字段",
    answers: "回答",
    required: "必填",
    machine: "给程序看的描述（OpenAPI 3.1）",
};

const EN: Text = Text {
    title: "API",
    lead: "One API for WeChat Pay and the channels to come: create a payment, give the payer the checkout link or the code, and ship when the signed webhook arrives.",
    contents: "Contents",
    guide: &[
        Chapter {
            id: "start",
            title: "The first call",
            paragraphs: &[
                "Amounts are whole numbers of fen: ¥12.34 is `1234`. The key goes into `Authorization: Bearer sk_…`, and stays on your server.",
                "The answer's `checkout_url` is a page for the payer. To show the code yourself, add `\"attempt\": {\"scene\": \"native\"}` and draw `attempts[0].action.code_url`.",
            ],
            example: FIRST_CALL,
        },
        Chapter {
            id: "again",
            title: "Sending twice is safe",
            paragraphs: &[
                "`merchant_order_no` is the anchor: the same number with the same content always gives the same payment; with other content it gives 409 `order_no_conflict`, which says which field differs. After a timeout, send the same again.",
                "Every POST takes an `Idempotency-Key`: the same key with the same request gives the same answer (with `idempotency-replayed: true`), with another request 422.",
            ],
            example: "",
        },
        Chapter {
            id: "states",
            title: "How a payment stands",
            paragraphs: &[
                "`created`: no channel has been asked. `pending`: the payer may pay at any moment. `paid`: the money has come. `closed`: it will not come; if a channel receives it all the same, that is a case (`/v1/cases`).",
                "An attempt that is `unknown` has not failed: it is a question without an answer yet. The channel was silent, and is asked until it speaks. Do not ship, and do not believe that the payer has not paid.",
            ],
            example: "",
        },
        Chapter {
            id: "webhooks-guide",
            title: "Receiving webhooks",
            paragraphs: &[
                "Webhooks follow the public Standard Webhooks specification; there is a library for every language. Verify the signature with the endpoint's `whsec_…`; `webhook-id` is the same in every try, so ignore what you have seen. `sequence` counts the changes of one payment, and its payment, refund and case events share the count: about the same thing (the same `data.id`), a lower one than you have handled is an older message. Two refunds of a payment are two things, whose events may come in any order; between payments it says nothing.",
                "Any 2xx within 15 seconds means received. Otherwise it is tried again after 15 s, 15 s, 30 s, 3 min, 10 min … for about 24 hours, and `Retry-After` is respected. What was missed can be sent again with `redeliver` or `replay`.",
            ],
            example: WEBHOOK,
        },
        Chapter {
            id: "cases-guide",
            title: "Money that should not be there",
            paragraphs: &[
                "Paid twice, paid after the close, a wrong amount: each is a case. Once `PATCH /v1/merchant` has switched `auto_refund` on, with limits for a case and for a day, money within them goes back by itself; with `accept_late`, what comes after the close is paid. Otherwise a case is `needs_person`, `need` says why, and a person decides with `POST /v1/cases/{id}/resolve`. Where the channel does not take a refund for an hour (no money in the account, a certificate that has ended, a frequency limit), the case needs a person for `refund_waits`: the refund goes on being tried under its own number, and a second one is refused.",
                "Each case begins with `case.opened` and ends with `case.resolved`; `case.needs_person` comes where the gateway will not go on by itself. The refund of a case's money is told as the case's, and not as `refund.…`; only where the case was ended otherwise, and a refund that the channel had refused turns out to have gone, `refund.succeeded` tells of it.",
            ],
            example: "",
        },
    ],
    reference: "Calls",
    errors: Chapter {
        id: "errors",
        title: "Errors",
        paragraphs: &[
            "Every error is `application/problem+json` (RFC 9457). Let programs look at `code` alone: it does not change. `detail` is for people and names cause and cure; `request_id` finds the request in the log.",
        ],
        example: PROBLEM,
    },
    status: "Status",
    code: "Code",
    meaning: "Meaning",
    parameters: "Parameters",
    body: "Body",
    answer: "Fields of the answer",
    answers: "Answers",
    required: "required",
    machine: "The description for programs (OpenAPI 3.1)",
};
