//! Made-up payers: no such names, documents in ranges that read as samples, addresses under `.invalid`.

use super::Dice;
use brazil::tax_id::check_digits_of;

const FIRST: [&str; 16] = [
    "Amostra",
    "Exemplo",
    "Ficção",
    "Modelo",
    "Ensaio",
    "Teste",
    "Maquete",
    "Fulana",
    "Beltrano",
    "Sicrana",
    "Protótipo",
    "Rascunho",
    "Esboço",
    "Simulacro",
    "Hipótese",
    "Suposta",
];
const LAST: [&str; 12] = [
    "da Silva Fictícia",
    "dos Santos Inventados",
    "de Souza Imaginária",
    "Oliveira de Mentira",
    "Pereira do Teste",
    "Lima de Exemplo",
    "Costa Sem Registro",
    "Ribeiro de Papel",
    "Almeida Hipotética",
    "Ferreira da Amostra",
    "Gomes do Rascunho",
    "Barros do Modelo",
];
const FIRMS: [&str; 6] =
    ["Comércio Fictício", "Indústria de Exemplo", "Serviços Imaginários", "Padaria Modelo", "Oficina Hipotética", "Escola de Mentira"];

/// States weighted roughly by how many live there, with a DDD of each.
const PLACES: [(&str, u32); 20] = [
    ("SP", 11),
    ("SP", 19),
    ("SP", 11),
    ("SP", 13),
    ("MG", 31),
    ("MG", 34),
    ("RJ", 21),
    ("RJ", 22),
    ("BA", 71),
    ("PR", 41),
    ("RS", 51),
    ("PE", 81),
    ("CE", 85),
    ("PA", 91),
    ("SC", 48),
    ("GO", 62),
    ("AM", 92),
    ("AC", 68),
    ("MT", 65),
    ("DF", 61),
];

/// A made-up payer.
#[derive(Debug, Clone)]
pub struct Person {
    /// `C0001` and so on.
    pub customer_id: String,
    /// Shown in messages.
    pub name: String,
    /// CPF or CNPJ that begins with zeros.
    pub tax_id: String,
    /// Under `.invalid`; some have none.
    pub email: String,
    /// Some have none.
    pub phone: String,
    /// Two letters.
    pub state: String,
    /// 0 pays early ... 3 pays very late.
    pub reliability: u64,
    /// Of a hundred invoices, how many are never paid.
    pub never_pays_percent: u32,
    /// What an invoice usually is, minor units.
    pub typical_minor: i64,
}

impl Person {
    /// The payer of that number.
    pub fn make(number: u32, dice: &mut Dice) -> Self {
        let is_firm = dice.chance(25);
        let name =
            if is_firm { format!("{} {number} Ltda.", dice.pick(&FIRMS)) } else { format!("{} {}", dice.pick(&FIRST), dice.pick(&LAST)) };
        let base = if is_firm { format!("00{number:06}0001") } else { format!("000{number:06}") };
        let tax_id = check_digits_of(&base).map(|digits| format!("{base}{digits}")).unwrap_or_default();
        let (state, area) = *dice.pick(&PLACES);
        let (reliability, never_pays_percent) =
            *dice.pick(&[(0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 2), (1, 2), (2, 5), (2, 8), (3, 25)]);
        Self {
            customer_id: format!("C{:04}", number + 1),
            name,
            tax_id,
            email: if dice.chance(94) { format!("c{:04}@example.invalid", number + 1) } else { String::new() },
            phone: if dice.chance(88) { format!("+55{area}9{:04}{:04}", dice.below(10_000), number % 10_000) } else { String::new() },
            state: state.to_owned(),
            reliability,
            never_pays_percent,
            typical_minor: i64::try_from(*dice.pick(&[4_990_u64, 8_990, 12_900, 25_000, 60_000, 180_000, 950_000])).unwrap_or(4_990),
        }
    }
}
