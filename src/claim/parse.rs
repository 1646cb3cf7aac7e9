//! From words to claims: sums of products of signed values.

use super::tokens::{Token, tokens};
use super::{Claim, ClaimError, Expression, Place, Sign};

const FORM: &str = "write LEFT OP RIGHT, for example 'sci < 0.9 * baseline'; OP is <, <=, >, >=, == or !=";

/// Parentheses in parentheses are read no deeper, so that no text can exhaust the stack.
const DEEPEST: usize = 100;

/// Texts of more words are not read, for the same reason: a sum of n values is a tree of depth n.
const MOST_WORDS: usize = 4000;

/// Reads claims joined by `and`.
pub(super) fn claims(text: &str) -> Result<Vec<Claim>, ClaimError> {
    let mut parser = Parser::new(text)?;
    let mut claims = vec![parser.claim()?];
    while parser.takes_and() {
        claims.push(parser.claim()?);
    }
    match parser.next() {
        (Token::End, _) => Ok(claims),
        (Token::Compare(_), at) => Err(parser.wrong(&at, "a claim compares two sides", "write 'a < b and b < c'")),
        (token, at) => Err(parser.wrong(&at, &format!("{} is unexpected here", said(&token)), JOIN)),
    }
}

/// Reads an expression.
pub(super) fn expression(text: &str) -> Result<Expression, ClaimError> {
    let mut parser = Parser::new(text)?;
    let found = parser.sum()?;
    match parser.next() {
        (Token::End, _) => Ok(found),
        (Token::Compare(_), at) => {
            Err(parser.wrong(&at, "a value is wanted, not a comparison", "write only one side of it"))
        }
        (token, at) => Err(parser.wrong(&at, &format!("{} is unexpected here", said(&token)), JOIN)),
    }
}

const JOIN: &str = "values are joined by + - * /, claims by and; a name of several words stands in quotes";

/// A word as it is called in a message.
fn said(token: &Token) -> String {
    match token {
        Token::Number(x) => format!("the number {x}"),
        Token::Name(name, _) => format!("\"{name}\""),
        Token::Compare(operator) => format!("\"{}\"", operator.sign()),
        Token::Sign(c) => format!("\"{c}\""),
        Token::End => "the end".to_owned(),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(Token, Place)>,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, ClaimError> {
        let tokens = tokens(text)?;
        if let Some((_, at)) = tokens.get(MOST_WORDS) {
            return Err(ClaimError::new(text, at, "this is too long", "write several claims"));
        }
        Ok(Self { text, tokens, at: 0, depth: 0 })
    }

    fn wrong(&self, at: &Place, message: &str, help: &str) -> ClaimError {
        ClaimError::new(self.text, at, message, help)
    }

    /// The next word; the end again and again.
    fn peek(&self) -> &(Token, Place) {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> (Token, Place) {
        let next = self.peek().clone();
        self.at += 1;
        next
    }

    /// Takes the next word if it is this sign.
    fn takes(&mut self, sign: char) -> bool {
        let is = self.peek().0 == Token::Sign(sign);
        self.at += usize::from(is);
        is
    }

    fn takes_and(&mut self) -> bool {
        let is = self.peek().0 == Token::Name("and".to_owned(), false);
        self.at += usize::from(is);
        is
    }

    fn claim(&mut self) -> Result<Claim, ClaimError> {
        let left = self.sum()?;
        let operator = match self.next() {
            (Token::Compare(operator), _) => operator,
            (Token::End, at) => return Err(self.wrong(&at, "a comparison is missing", FORM)),
            (token, at) => {
                let message = format!("{} stands where a comparison is wanted", said(&token));
                return Err(self.wrong(&at, &message, FORM));
            }
        };
        let right = self.sum()?;
        Ok(Claim { text: self.text.to_owned(), left, operator, right })
    }

    fn sum(&mut self) -> Result<Expression, ClaimError> {
        let mut left = self.product()?;
        loop {
            let sign = match self.peek().0 {
                Token::Sign('+') => Sign::Plus,
                Token::Sign('-') => Sign::Minus,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Expression::Pair(Box::new(left), sign, Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expression, ClaimError> {
        let mut left = self.signed()?;
        loop {
            let sign = match self.peek().0 {
                Token::Sign('*') => Sign::Times,
                Token::Sign('/') => Sign::Over,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Expression::Pair(Box::new(left), sign, Box::new(self.signed()?));
        }
    }

    fn signed(&mut self) -> Result<Expression, ClaimError> {
        let place = self.peek().1.clone();
        if !self.takes('-') {
            return self.operand();
        }
        self.deeper(&place)?;
        let of = self.signed()?;
        self.depth -= 1;
        Ok(Expression::Negative(Box::new(of), place))
    }

    fn deeper(&mut self, at: &Place) -> Result<(), ClaimError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(at, "this is nested too deeply", "write it flatter"));
        }
        Ok(())
    }

    fn operand(&mut self) -> Result<Expression, ClaimError> {
        match self.next() {
            (Token::Number(written), at) => {
                let percent = self.takes('%');
                let end = if percent { self.tokens[self.at - 1].1.0.end } else { at.0.end };
                Ok(Expression::Number { written, percent, at: Place(at.0.start..end) })
            }
            (Token::Name(name, quoted), at) if quoted || name != "and" => {
                if self.takes('(') {
                    self.call(name, at)
                } else {
                    Ok(Expression::Name { name, at })
                }
            }
            (Token::Sign('('), at) => {
                self.deeper(&at)?;
                let inner = self.sum()?;
                self.depth -= 1;
                self.close(&at)?;
                Ok(inner)
            }
            (Token::Sign('%'), at) => Err(self.wrong(&at, "% stands after a number only", "write 1 %")),
            (Token::Sign('+'), at) => Err(self.wrong(&at, "a value needs no +", "leave it out")),
            (token, at) => {
                let help = "a value is a number, the name of a figure, a call such as mean(sci), or an expression in parentheses";
                Err(self.wrong(&at, &format!("a value is missing before {}", said(&token)), help))
            }
        }
    }

    fn call(&mut self, name: String, at: Place) -> Result<Expression, ClaimError> {
        self.deeper(&at)?;
        if let (Token::Sign(')'), close) = self.peek().clone() {
            let message = format!("{name}() has no argument");
            return Err(self.wrong(&Place(at.0.start..close.0.end), &message, &format!("write {name}(…), or {name}")));
        }
        let mut arguments = vec![self.sum()?];
        while self.takes(',') {
            arguments.push(self.sum()?);
        }
        self.depth -= 1;
        self.close(&at)?;
        if name == "abs" && arguments.len() > 1 {
            return Err(self.wrong(&arguments[1].place(), "abs takes one argument", "write abs(…) of each"));
        }
        Ok(Expression::Call { name, arguments, at })
    }

    fn close(&mut self, opened: &Place) -> Result<(), ClaimError> {
        if self.takes(')') {
            return Ok(());
        }
        let (token, at) = self.next();
        match token {
            Token::Compare(_) => Err(self.wrong(
                &at,
                "a comparison stands inside parentheses",
                "parentheses hold values; claims are joined by and",
            )),
            Token::End => Err(self.wrong(opened, "the parenthesis that opens here is not closed", "write )")),
            _ => Err(self.wrong(&at, &format!("{} stands where ) is wanted", said(&token)), JOIN)),
        }
    }
}
