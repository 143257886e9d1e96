"""A django-oscar shop with vouchers, as small as it goes: run by the interpreter of its own environment, never by ours.

It is given every advantage: the basket is made once and kept in memory, an order is one row, there are no sessions, templates,
middleware or logging. What is measured is oscar's own code: whether a voucher is available, what its offer takes off the basket,
and the recording of its use and discount in one transaction.

`python peer.py prepare COUNT ONCE` makes the tables, COUNT vouchers and ONCE more that may be used once; gunicorn serves
`peer:application`.
"""

import json
import os
import sys
import threading
import uuid
from decimal import Decimal

import django
from django.conf import settings
from oscar.defaults import *  # noqa: F403 - how oscar wants to be configured

APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.flatpages",
    "oscar.config.Shop",
    "oscar.apps.analytics.apps.AnalyticsConfig",
    "oscar.apps.checkout.apps.CheckoutConfig",
    "oscar.apps.address.apps.AddressConfig",
    "oscar.apps.shipping.apps.ShippingConfig",
    "oscar.apps.catalogue.apps.CatalogueConfig",
    "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    "oscar.apps.communication.apps.CommunicationConfig",
    "oscar.apps.partner.apps.PartnerConfig",
    "oscar.apps.basket.apps.BasketConfig",
    "oscar.apps.payment.apps.PaymentConfig",
    "oscar.apps.offer.apps.OfferConfig",
    "oscar.apps.order.apps.OrderConfig",
    "oscar.apps.customer.apps.CustomerConfig",
    "oscar.apps.search.apps.SearchConfig",
    "oscar.apps.voucher.apps.VoucherConfig",
    "oscar.apps.wishlists.apps.WishlistsConfig",
    "oscar.apps.dashboard.apps.DashboardConfig",
    "oscar.apps.dashboard.reports.apps.ReportsDashboardConfig",
    "oscar.apps.dashboard.users.apps.UsersDashboardConfig",
    "oscar.apps.dashboard.orders.apps.OrdersDashboardConfig",
    "oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig",
    "oscar.apps.dashboard.offers.apps.OffersDashboardConfig",
    "oscar.apps.dashboard.partners.apps.PartnersDashboardConfig",
    "oscar.apps.dashboard.pages.apps.PagesDashboardConfig",
    "oscar.apps.dashboard.ranges.apps.RangesDashboardConfig",
    "oscar.apps.dashboard.reviews.apps.ReviewsDashboardConfig",
    "oscar.apps.dashboard.vouchers.apps.VouchersDashboardConfig",
    "oscar.apps.dashboard.communications.apps.CommunicationsDashboardConfig",
    "oscar.apps.dashboard.shipping.apps.ShippingDashboardConfig",
    "haystack",
    "treebeard",
    "django_tables2",
]

settings.configure(
    **{name: value for name, value in globals().items() if name.startswith("OSCAR_")},
    SECRET_KEY="bench",
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=APPS,
    SITE_ID=1,
    USE_TZ=True,
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[],
    LOGGING_CONFIG=None,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["OSCAR_DB_HOST"],
            "NAME": os.environ["OSCAR_DB_NAME"],
            "USER": os.environ["OSCAR_DB_USER"],
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()

from django.contrib.auth.models import AnonymousUser  # noqa: E402 - only once Django is set up
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import transaction  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from oscar.apps.basket.models import Basket  # noqa: E402
from oscar.apps.catalogue.models import Product, ProductClass  # noqa: E402
from oscar.apps.offer.applicator import Applicator  # noqa: E402
from oscar.apps.offer.models import Benefit, Condition, ConditionalOffer, Range  # noqa: E402
from oscar.apps.order.models import Order  # noqa: E402
from oscar.apps.partner.models import Partner, StockRecord  # noqa: E402
from oscar.apps.partner.strategy import Default  # noqa: E402
from oscar.apps.voucher.models import Voucher  # noqa: E402


def prepare(count: int, once: int) -> None:
    """Tables, a product, an offer of ten percent, and its vouchers."""
    call_command("migrate", verbosity=0)
    product = Product.objects.create(title="Shirt", product_class=ProductClass.objects.create(name="Clothes"))
    partner = Partner.objects.create(name="Shop")
    StockRecord.objects.create(
        product=product, partner=partner, partner_sku="S", price=Decimal(200), num_in_stock=10**6
    )
    everything = Range.objects.create(name="All", includes_all_products=True)
    condition = Condition.objects.create(range=everything, type=Condition.COUNT, value=1)
    benefit = Benefit.objects.create(range=everything, type=Benefit.PERCENTAGE, value=10)
    offer = ConditionalOffer.objects.create(
        name="Ten percent", offer_type=ConditionalOffer.VOUCHER, condition=condition, benefit=benefit
    )
    now, day = timezone.now(), timezone.timedelta(days=1)
    codes = {f"S{n}": Voucher.MULTI_USE for n in range(count)} | {"HOT": Voucher.MULTI_USE}
    codes |= {f"ONCE{n}": Voucher.SINGLE_USE for n in range(once)}
    for code, usage in codes.items():
        values = {"start_datetime": now - day, "end_datetime": now + day, "usage": usage}
        Voucher.objects.create(name=code, code=code, **values).offers.add(offer)
    basket = Basket.objects.create()
    basket.strategy = Default()
    basket.add_product(product, 1)


_own = threading.local()


def shopper() -> Basket:
    """The basket everybody has, with its lines, loaded once by each thread."""
    if not hasattr(_own, "basket"):
        _own.basket = Basket.objects.get()
        _own.basket.strategy = Default()
        list(_own.basket.all_lines())
    return _own.basket


def checked(request):
    """The voucher asked for, and what it takes off; None where it may not be used."""
    voucher = Voucher.objects.get(code=json.loads(request.body)["code"])
    basket = shopper()
    basket.reset_offer_applications()
    if not voucher.is_active() or not voucher.is_available_for_basket(basket)[0]:
        return None, Decimal(0)
    Applicator().apply_offers(basket, [*voucher.offers.all()])
    return voucher, basket.total_discount


def validate(request):
    voucher, discount = checked(request)
    return answer({"valid": voucher is not None, "discount": str(discount)})


def redeem(request):
    with transaction.atomic():
        voucher, discount = checked(request)
        if voucher is None:
            return answer({"redeemed": False})
        total = Decimal(200) - discount
        order = Order.objects.create(
            number=uuid.uuid4().hex,
            currency="USD",
            total_incl_tax=total,
            total_excl_tax=total,
            date_placed=timezone.now(),
            status="Paid",
        )
        voucher.record_usage(order, AnonymousUser())
        voucher.record_discount({"discount": discount})
    return answer({"redeemed": True})


def answer(body) -> HttpResponse:
    text = json.dumps(body)
    return HttpResponse(text, content_type="application/json", headers={"Content-Length": str(len(text))})


urlpatterns = [path("validate", validate), path("redeem", redeem)]
if __name__ == "__main__":
    prepare(int(sys.argv[2]), int(sys.argv[3]))
else:
    application = get_wsgi_application()
