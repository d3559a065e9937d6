//! What payers read, in every template, language and channel.

use kernel::{Currency, personal::Personal};
use notice::Channel;
use notification::template::{self, Creditor, Language, Letter, Line, TemplateFault, Templates};
use std::{fmt::Write, fs, path::Path};

fn creditor() -> Creditor {
    Creditor {
        name: "Loja da Praça Ltda.".into(),
        address: "Rua São João, 45, São Paulo/SP, 01035-000".into(),
        tax_id: "CNPJ 12.345.678/0001-95".into(),
        contact: "contas@loja.example".into(),
    }
}

fn sample(language: Language, creditor: Creditor) -> Letter {
    template::sample(language, creditor, "2026-11-23".parse().unwrap())
}

/// Every template on every channel, as a reader sees it. Set `REGUA_BLESS` to write what is rendered now.
#[test]
fn every_template_reads_as_it_was_approved() {
    let templates = Templates::bundled();
    for language in Language::ALL {
        let mut golden = String::new();
        for (template, _) in templates.list().into_iter().filter(|(_, of)| *of == language) {
            let mut letter = sample(language, creditor());
            let single = matches!(template, "lembrete" | "vence-hoje");
            letter.lines.retain(|line| line.overdue != single);
            if template == "vencida-firme" {
                letter = sample(language, creditor());
                letter.lines[0].payment_returned = true;
            }
            letter.asks = template::asks(template);
            for channel in Channel::ALL {
                let rendered = templates.render(template, channel, &letter).unwrap();
                writeln!(golden, "=== {template} · {} · {}", channel.slug(), rendered.subject).unwrap();
                writeln!(golden, "{}", rendered.text).unwrap();
                if !rendered.html.is_empty() {
                    writeln!(golden, "--- html\n{}", rendered.html).unwrap();
                }
            }
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/notification/golden/{language}.txt"));
        if std::env::var_os("REGUA_BLESS").is_some() {
            fs::write(&path, &golden).unwrap();
        }
        let approved = fs::read_to_string(&path).unwrap_or_default();
        let differs = golden.lines().zip(approved.lines()).find(|(now, then)| now != then);
        assert!(golden == approved, "{language}: {differs:?}");
    }
}

#[test]
fn every_message_names_the_creditor_the_way_out_and_greets_by_name() {
    let templates = Templates::bundled();
    for (template, language) in templates.list() {
        let letter = sample(language, creditor());
        for channel in Channel::ALL {
            let rendered = templates.render(template, channel, &letter).unwrap();
            let text = rendered.text.replace("não", "nao").replace("Praça", "Praca").replace("São João", "Sao Joao");
            let out = match (channel, language) {
                (Channel::Letter, Language::Portuguese) => "Para nao receber mais cartas",
                (Channel::Letter, Language::English) => "To stop these letters",
                (Channel::Voice, Language::Portuguese) => "tecle 9",
                (Channel::Voice, Language::English) => "press 9",
                (_, Language::Portuguese) => "SAIR",
                (_, Language::English) => "STOP",
            };
            for needed in ["Loja da Praca", "12.345.678/0001-95", "Rua Sao Joao", &letter.first_name(), out] {
                assert!(text.contains(needed), "{template} {} {language} lacks {needed}: {text}", channel.slug());
            }
        }
    }
}

#[test]
fn a_name_that_ends_with_a_stop_gets_no_second_one() {
    let templates = Templates::bundled();
    for (template, _) in templates.list() {
        let ends_so = |text: &str| kernel::personal::Personal::new(text);
        let mut letter = sample(Language::Portuguese, Creditor { address: "Rua A, 1, São Paulo - S.P.".into(), ..creditor() });
        letter.name = ends_so("Comércio Exemplo Ltda.");
        for named in [true, false] {
            if !named {
                letter.name = Personal::default();
            }
            for channel in Channel::ALL {
                let rendered = templates.render(template, channel, &letter).unwrap();
                assert!(!rendered.text.contains("..") && !rendered.html.contains(".."), "{template} {}: {}", channel.slug(), rendered.text);
            }
        }
    }
}

/// 2026-11-21 is a Saturday: on Monday it is paid without charges, and nobody is told that it is due today.
#[test]
fn what_fell_due_on_a_weekend_is_not_said_to_be_due_today() {
    let templates = Templates::bundled();
    let mut letter = sample(Language::Portuguese, creditor());
    letter.lines.retain(|line| !line.overdue);
    letter.lines[0].due_on = "2026-11-21".parse().unwrap();
    let rendered = templates.render("vence-hoje", Channel::Email, &letter).unwrap();
    assert!(rendered.text.contains("venceu em 21/11/2026 e pode ser pago hoje sem acréscimo"), "{}", rendered.text);
    assert!(!rendered.text.contains("vencimento hoje"), "{}", rendered.text);
    assert!(templates.render("vence-hoje", Channel::Sms, &letter).unwrap().text.contains("hoje sem acrescimo"));
}

/// A reader of a mail with both lists is not told that all of it is overdue.
#[test]
fn an_overdue_text_fits_a_mail_that_lists_what_is_to_come() {
    let templates = Templates::bundled();
    for template in ["vencida", "vencida-firme", "ultimo-aviso", "aviso-previo-negativacao"] {
        let text = templates.render(template, Channel::Email, &sample(Language::Portuguese, creditor())).unwrap();
        assert!(text.text.contains("em atraso na lista abaixo") && !text.text.contains("valor abaixo"), "{}", text.text);
        assert!(text.html.contains("Como pagar NF 1001"), "{}", text.html);
    }
}

#[test]
fn a_subject_never_tells_of_a_debt() {
    let templates = Templates::bundled();
    for (template, language) in templates.list() {
        let rendered = templates.render(template, Channel::Email, &sample(language, creditor())).unwrap();
        let subject = rendered.subject.to_lowercase();
        for told in ["venc", "atras", "débito", "divida", "dívida", "cobran", "fatura", "overdue", "debt", "due", "r$", "1.234", "nf "] {
            assert!(!subject.contains(told), "{template}: {subject}");
        }
        let preview = rendered.text.lines().next().unwrap_or_default();
        assert!(!preview.contains("1.234") && !preview.contains("NF"), "{preview}");
    }
}

#[test]
fn overdue_items_come_first_with_amounts_and_dates_of_the_reader() {
    let templates = Templates::bundled();
    for (language, amount, date, first, second) in [
        (Language::Portuguese, "R$ 1.234,56", "16/11/2026", "Em atraso", "A vencer"),
        (Language::English, "BRL 1,234.56", "Nov 16, 2026", "Overdue", "Coming up"),
    ] {
        let rendered = templates.render("vencida", Channel::Email, &sample(language, creditor())).unwrap();
        for text in [&rendered.text, &rendered.html] {
            assert!(text.contains(amount) && text.contains(date), "{text}");
            assert!(text.find(first).unwrap() < text.find(second).unwrap());
        }
    }
}

#[test]
fn a_text_message_fits_whatever_the_names_are() {
    let templates = Templates::bundled();
    let long = "Companhia Brasileira de Distribuição de Energia e Serviços Gerais do Interior ";
    for (name, creditor_name, address, document, lines) in [
        ("Ana", "Loja", "Rua A, 1, São Paulo/SP", "1", 1),
        ("Maximiliano Constantino de Albuquerque", long, long, "NF 2026/000000000123456789", 1),
        (&"Ã".repeat(120), &long.repeat(3), &long.repeat(3), "DOC", 40),
        ("", "Loja", "Rua A, 1", "", 2),
    ] {
        for (template, language) in templates.list() {
            let mut letter = sample(language, Creditor { name: creditor_name.into(), address: address.into(), ..creditor() });
            letter.name = Personal::new(name);
            letter.currency = Currency::BRL;
            let line = Line { document: document.into(), amount_minor: 98_765_432_100, ..letter.lines[0].clone() };
            letter.lines = vec![line; lines];
            let text = templates.render(template, Channel::Sms, &letter).unwrap().text;
            assert!(text.is_ascii() && text.len() <= 160, "{} {text}", text.len());
            let amount = if lines == 1 { "987" } else { "total" };
            for kept in [amount, "12.345.678/0001-95", if language == Language::English { "STOP" } else { "SAIR" }] {
                assert!(text.contains(kept), "{template} lacks {kept}: {text}");
            }
        }
    }
}

#[test]
fn a_returned_payment_is_mentioned() {
    let templates = Templates::bundled();
    for (template, language) in templates.list() {
        let mut letter = sample(language, creditor());
        letter.lines[0].payment_returned = true;
        for channel in Channel::ALL {
            let text = templates.render(template, channel, &letter).unwrap().text;
            let told = if language == Language::English { "returned" } else { "devolvido" };
            assert!(text.contains(told), "{template} {}: {text}", channel.slug());
        }
    }
}

#[test]
fn other_peoples_texts_are_escaped_in_html() {
    let templates = Templates::bundled();
    let mut letter = sample(Language::Portuguese, creditor());
    letter.name = Personal::new("<b onload=\"x\">Ana & 'Co'");
    letter.lines[0].document = "<script>".into();
    let html = templates.render("vencida", Channel::Email, &letter).unwrap().html;
    assert!(html.contains("&lt;b onload=&quot;x&quot;&gt;Ana &amp; &#39;Co&#39;") && !html.contains("<script>"), "{html}");
}

#[test]
fn an_unknown_template_or_version_is_refused() {
    let templates = Templates::bundled();
    let letter = sample(Language::Portuguese, creditor());
    for (template, expected) in [
        ("lembrete", Ok(())),
        ("lembrete@1", Ok(())),
        ("lembrete@2", Err(TemplateFault::Unknown)),
        ("frame", Err(TemplateFault::Unknown)),
        ("../lembrete", Err(TemplateFault::Unknown)),
        ("", Err(TemplateFault::Unknown)),
    ] {
        assert_eq!(templates.render(template, Channel::Email, &letter).map(|_| ()), expected, "{template}");
    }
}
