"""Walks one order after another through `wechatpy`, a client that nobody here wrote.

    python wechatpy_walk.py http://127.0.0.1:8100

Only the base URL differs from production. Prints one line a step and ends with an error at the
first step that is not as the platform has it.
"""

import json
import sys
import threading
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

from wechatpy.exceptions import InvalidSignatureException, WeChatPayException
from wechatpy.pay import WeChatPay
from wechatpy.pay.utils import calculate_signature_hmac

HEARD = (
    b"<xml><return_code><![CDATA[SUCCESS]]></return_code>"
    b"<return_msg><![CDATA[OK]]></return_msg></xml>"
)


class Shop:
    """Listens for notifications and says that they were heard."""

    def __init__(self):
        told = self.told = Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(HEARD)))
                self.end_headers()
                self.wfile.write(HEARD)
                told.put(body.decode())

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.notify_url = f"http://127.0.0.1:{server.server_port}/notify"

    def next(self):
        return self.told.get(timeout=10)


class Simulator:
    """The control API: the hand of the payer, and of fate."""

    def __init__(self, base):
        self.base = base
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with self.opener.open(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def main(base):
    simulator, shop = Simulator(base), Shop()
    account = simulator.call("GET", "/_sim/credentials")["wechat"]
    client = WeChatPay(account["app_id"], account["api_v2_key"], account["mch_id"])
    client._http.trust_env = False
    client.API_BASE_URL = base + "/"

    def number():
        return "W" + uuid.uuid4().hex[:20]

    def place(out_trade_no, fen=888, **more):
        return client.order.create(
            "NATIVE",
            "通宝 - 豆浆 & 油条",
            fen,
            shop.notify_url,
            client_ip="127.0.0.1",
            out_trade_no=out_trade_no,
            product_id="p1",
            attach="门店=1",
            **more,
        )

    def pay(order):
        return simulator.call("POST", "/_sim/wallets/alice/pay", {"code_url": order["code_url"]})

    def refused(code, call):
        try:
            call()
        except WeChatPayException as error:
            assert error.errcode == code, (error.errcode, code)
        else:
            raise AssertionError(f"no {code}")

    first = number()
    order = place(first)
    assert client.check_signature(order), order
    assert order["code_url"].startswith("weixin://wxpay/bizpayurl?pr="), order
    print("placed", order["code_url"])

    found = client.order.query(out_trade_no=first)
    assert client.check_signature(found), found
    assert found["trade_state"] == "NOTPAY", found
    assert place(first)["prepay_id"] == order["prepay_id"]
    refused("INVALID_REQUEST", lambda: place(first, fen=889))
    print("asked again")

    receipt = pay(order)
    notice = client.parse_payment_result(shop.next())
    assert notice["out_trade_no"] == first, notice
    assert notice["total_fee"] == 888, notice
    assert notice["attach"] == "门店=1", notice
    assert notice["transaction_id"] == receipt["transaction_id"], notice
    found = client.order.query(transaction_id=notice["transaction_id"])
    assert client.check_signature(found), found
    assert found["trade_state"] == "SUCCESS", found
    refused("ORDERPAID", lambda: place(first))
    refused("ORDERPAID", lambda: client.order.close(first))
    print("paid and told", notice["transaction_id"])

    second = number()
    place(second)
    closed = client.order.close(second)
    assert client.check_signature(closed), closed
    assert client.order.query(out_trade_no=second)["trade_state"] == "CLOSED"
    refused("ORDERCLOSED", lambda: client.order.close(second))
    refused("ORDERNOTEXIST", lambda: client.order.query(out_trade_no=number()))
    print("closed")

    # HMAC is the order's algorithm and so its notification's; the library checks MD5 only, so
    # its signing function judges.
    order = place(number(), sign_type="HMAC-SHA256")
    pay(order)
    fields = client_fields(shop.next())
    sign = fields.pop("sign")
    assert sign == calculate_signature_hmac(fields, account["api_v2_key"]), fields
    print("told with HMAC-SHA256")

    third = number()
    place(third)
    fault = {"kind": "forged_notification", "out_trade_no": third, "times": 1}
    simulator.call("POST", "/_sim/faults", fault)
    try:
        client.parse_payment_result(shop.next())
    except InvalidSignatureException:
        print("a forgery was seen through")
    else:
        raise AssertionError("the forgery was believed")

    wrong = WeChatPay(account["app_id"], "0" * 31 + "1", account["mch_id"])
    wrong._http.trust_env = False
    wrong.API_BASE_URL = base + "/"
    try:
        wrong.order.query(out_trade_no=first)
    except WeChatPayException as error:
        assert (error.return_code, error.errmsg) == ("FAIL", None), error
        print("a wrong key is refused:", error.return_msg)
    else:
        raise AssertionError("a wrong key was accepted")


def client_fields(xml):
    import xmltodict

    return dict(xmltodict.parse(xml)["xml"])


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
