//! The report for programs.

use serde::Serialize;
use tongbao_engine::audit::{Report, Rule, Severity, Sums};

#[derive(Serialize)]
struct View<'a> {
    verdict: &'static str,
    as_of: String,
    payments: u64,
    lines: u64,
    messages: u64,
    secrets_tried: bool,
    merchants: Vec<MerchantView<'a>>,
    rules: Vec<RuleView>,
    findings: Vec<FindingView<'a>>,
}

#[derive(Serialize)]
struct MerchantView<'a> {
    id: String,
    name: &'a str,
    sums: Vec<SumsView<'a>>,
}

#[derive(Serialize)]
struct SumsView<'a> {
    currency: &'a str,
    #[serde(flatten)]
    sums: &'a Sums,
    difference: i128,
}

#[derive(Serialize)]
struct RuleView {
    id: &'static str,
    title: &'static str,
    severity: &'static str,
    count: u64,
}

#[derive(Serialize)]
struct FindingView<'a> {
    rule: &'static str,
    severity: &'static str,
    merchant: Option<String>,
    subject: Option<&'a str>,
    what: &'a str,
    cure: &'static str,
}

/// One object; `secrets` says whether they were tried.
pub(crate) fn json(report: &Report, secrets: bool) -> serde_json::Result<String> {
    let merchants = report.merchants.iter().map(|merchant| MerchantView {
        id: merchant.id.to_string(),
        name: &merchant.name,
        sums: report
            .sums_of(merchant.id)
            .map(|(currency, sums)| SumsView {
                currency,
                sums,
                difference: sums.difference(),
            })
            .collect(),
    });
    let rules = Rule::ALL.iter().map(|rule| RuleView {
        id: rule.id(),
        title: rule.title(),
        severity: severity(*rule),
        count: report.counts.get(rule).copied().unwrap_or_default(),
    });
    let findings = report.findings.iter().map(|found| FindingView {
        rule: found.rule.id(),
        severity: severity(found.rule),
        merchant: found.merchant.map(|id| id.to_string()),
        subject: Some(found.subject.as_str()).filter(|subject| !subject.is_empty()),
        what: &found.what,
        cure: found.rule.cure(),
    });
    serde_json::to_string_pretty(&View {
        verdict: match report.count(Severity::Wrong) {
            0 => "sound",
            _ => "wrong",
        },
        as_of: report.as_of.to_string(),
        payments: report.payments,
        lines: report.lines,
        messages: report.messages,
        secrets_tried: secrets,
        merchants: merchants.collect(),
        rules: rules.collect(),
        findings: findings.collect(),
    })
}

const fn severity(rule: Rule) -> &'static str {
    match rule.severity() {
        Severity::Wrong => "wrong",
        Severity::Attention => "attention",
    }
}
