//! What the shop sells.

use super::fen::Fen;
use super::lang::Lang;

/// One thing on the shelf.
#[derive(Debug)]
pub(super) struct Article {
    /// In forms and in the book.
    pub(super) id: &'static str,
    pub(super) drawing: Drawing,
    pub(super) price: Fen,
    name: [&'static str; 2],
    about: [&'static str; 2],
}

/// A file of `templates/demo/art`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Drawing {
    Tin,
    Gaiwan,
    Teapot,
}

/// The last one costs more than what a wallet lets pass without its password.
pub(super) static ARTICLES: [Article; 3] = [
    Article {
        id: "longjing",
        drawing: Drawing::Tin,
        price: Fen(6_800),
        name: ["明前龙井", "Longjing green tea"],
        about: [
            "清明前采摘，50 克一罐",
            "Picked before Qingming, a tin of 50 g",
        ],
    },
    Article {
        id: "gaiwan",
        drawing: Drawing::Gaiwan,
        price: Fen(12_800),
        name: ["白瓷盖碗", "Porcelain gaiwan"],
        about: [
            "薄胎白瓷，110 毫升，盖、碗、托一套",
            "Thin white porcelain, 110 ml: lid, bowl and saucer",
        ],
    },
    Article {
        id: "teapot",
        drawing: Drawing::Teapot,
        price: Fen(68_000),
        name: ["紫砂壶", "Yixing teapot"],
        about: [
            "原矿紫泥，180 毫升，手工成型",
            "Purple clay, 180 ml, shaped by hand",
        ],
    },
];

impl Article {
    pub(super) fn find(id: &str) -> Option<&'static Self> {
        ARTICLES.iter().find(|article| article.id == id)
    }

    pub(super) fn name(&self, lang: Lang) -> &'static str {
        lang.of(self.name)
    }

    pub(super) fn about(&self, lang: Lang) -> &'static str {
        lang.of(self.about)
    }
}
