"""Walks a payment's whole life through `wechatpy`: payment code, reverse, refund, openid.

    python wechatpy_till.py http://127.0.0.1:8100 https://127.0.0.1:8143

Orders go over plain HTTP; what gives money back goes over TLS, with the client certificate that
the control API hands out. Prints one line a step and ends with an error at the first step that is
not as the platform has it.
"""

import sys
import tempfile
import uuid

from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay

from wechatpy_walk import Shop, Simulator


def number():
    return "W" + uuid.uuid4().hex[:20]


def refused(code, call):
    try:
        call()
    except WeChatPayException as error:
        assert error.errcode == code, (error.errcode, code)
    else:
        raise AssertionError(f"no {code}")


def connect(account, base, ca=None, cert=None, key=None):
    client = WeChatPay(
        account["app_id"], account["api_v2_key"], account["mch_id"], mch_cert=cert, mch_key=key
    )
    client._http.trust_env = False
    client._http.verify = ca
    client.API_BASE_URL = base + "/"
    return client


def file(text):
    kept = tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False)
    kept.write(text)
    kept.close()
    return kept.name


def main(base, secured):
    simulator, shop = Simulator(base), Shop()
    account = simulator.call("GET", "/_sim/credentials")["wechat"]
    ca = file(account["ca_certificate"])
    cert, key = file(account["client_certificate"]), file(account["client_key"])
    client = connect(account, base)
    certified = connect(account, secured, ca, cert, key)
    without = connect(account, secured, ca)

    def code():
        return simulator.call("POST", "/_sim/wallets/alice/auth_code", {})["auth_code"]

    def scan(out_trade_no, fen, auth_code=None):
        return client.micropay.create(
            "咖啡", fen, auth_code or code(), client_ip="127.0.0.1", out_trade_no=out_trade_no
        )

    def state(out_trade_no):
        return client.micropay.query(out_trade_no=out_trade_no)["trade_state"]

    shown, first = code(), number()
    holder = client.tools.auto_code_to_openid(shown)
    assert client.check_signature(holder), holder
    paid = scan(first, 1200, shown)
    assert client.check_signature(paid), paid
    assert paid["trade_type"] == "MICROPAY" and paid["openid"] == holder["openid"], paid
    refused("AUTH_CODE_INVALID", lambda: scan(number(), 1, shown))
    print("charged", paid["transaction_id"])

    second = number()
    refused("USERPAYING", lambda: scan(second, 60000))
    assert state(second) == "USERPAYING"
    simulator.call("POST", "/_sim/wallets/alice/confirm", {"accept": True})
    assert state(second) == "SUCCESS"
    third = number()
    refused("USERPAYING", lambda: scan(third, 60000))
    simulator.call("POST", "/_sim/wallets/alice/confirm", {"accept": False})
    assert state(third) == "PAYERROR"
    print("asked, paid and declined")

    for out_trade_no in (second, third, second):
        reversed_ = certified.order.reverse(out_trade_no=out_trade_no)
        assert client.check_signature(reversed_), reversed_
        assert reversed_["recall"] == "N", reversed_
        assert state(out_trade_no) == "REVOKED"
    print("reversed")

    try:
        without.order.reverse(out_trade_no=second)
    except WeChatPayException as error:
        assert error.response.status_code == 400, error.response.status_code
        assert "No required SSL certificate was sent" in error.response.text
        print("refused without a certificate")
    else:
        raise AssertionError("no certificate was needed")

    out_refund_no = number()

    def refund(fen, out_refund_no=out_refund_no):
        return certified.refund.apply(
            1200, fen, out_refund_no, out_trade_no=first, notify_url=shop.notify_url
        )

    taken = refund(500)
    assert client.check_signature(taken), taken
    assert refund(500)["refund_id"] == taken["refund_id"]
    refused("REFUND_FEE_MISMATCH", lambda: refund(501))
    refused("REFUND_FEE_INVALID", lambda: refund(701, number()))
    assert client.refund.query(out_refund_no=out_refund_no)["refund_status_0"] == "PROCESSING"
    simulator.call("POST", "/_sim/clock", {"advance_seconds": 10})
    told = client.parse_refund_notify_result(shop.next())
    assert told["out_refund_no"] == out_refund_no, told
    assert (told["refund_fee"], told["refund_status"]) == (500, "SUCCESS"), told
    found = client.refund.query(out_trade_no=first)
    assert client.check_signature(found), found
    assert found["refund_status_0"] == "SUCCESS" and found["refund_fee_0"] == "500", found
    assert state(first) == "REFUND"
    refused("REFUNDNOTEXIST", lambda: client.refund.query(out_refund_no=number()))
    print("refunded and told", told["refund_id"])

    order = client.order.create(
        "JSAPI", "豆浆", 100, shop.notify_url, client_ip="127.0.0.1", user_id=holder["openid"],
        out_trade_no=number(),
    )
    call = client.jsapi.get_jsapi_params(order["prepay_id"])
    opened = simulator.call("POST", "/_sim/wallets/alice/open", {"jsapi": call})
    simulator.call("POST", "/_sim/wallets/alice/pay", {"prepay_id": opened["prepay_id"]})
    assert client.parse_payment_result(shop.next())["trade_type"] == "JSAPI"
    print("opened by a page, paid and told")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2].rstrip("/"))
