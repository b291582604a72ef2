//! Quadratic assignment problems in the format of QAPLIB (R. E. Burkard, S. E. Karisch, F. Rendl, *QAPLIB – a
//! quadratic assignment problem library*, J. Global Optimization 10, 1997).

use super::source::read_source;
use super::text::{decode, finite, lines, shown};
use crate::error::{Error, Result};
use crate::permutation::Permutation;
use nalgebra::DMatrix;
use std::path::Path;

/// A quadratic assignment problem: minimize Σ_ij A\[i, j\] B\[p(i), p(j)\] over permutations p of 0..n.
#[derive(Debug, Clone, PartialEq)]
pub struct QaplibInstance {
    /// n.
    pub n: usize,
    /// A, n × n.
    pub a: DMatrix<f64>,
    /// B, n × n.
    pub b: DMatrix<f64>,
}

impl QaplibInstance {
    /// Σ_ij A\[i, j\] B\[p(i), p(j)\]. O(n²).
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn value(&self, p: &Permutation) -> f64 {
        assert_eq!(p.len(), self.n, "a permutation of another size than the problem");
        let pairs = (0..self.n).flat_map(|i| (0..self.n).map(move |j| (i, j)));
        pairs.map(|(i, j)| self.a[(i, j)] * self.b[(p.apply(i), p.apply(j))]).sum()
    }

    /// The permutation p with [`value(p)`](QaplibInstance::value) equal to the stated value: that of `solution`
    /// or its inverse, `None` if neither has this value (up to 10⁻⁹ of it, for problems that are not integer).
    ///
    /// Solution files do not say which way their permutation maps. Of 60 of QAPLIB, 57 hold p as
    /// [`value`](QaplibInstance::value) has it; kra30a, tai60a and tai80a hold p⁻¹.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn orient(&self, solution: &QaplibSolution) -> Option<Permutation> {
        let tolerance = 1e-9 * solution.value.abs();
        let candidates = [solution.permutation.clone(), solution.permutation.inverse()];
        candidates.into_iter().find(|p| (self.value(p) - solution.value).abs() <= tolerance)
    }
}

/// A permutation and its value, as a solution file states them.
#[derive(Debug, Clone, PartialEq)]
pub struct QaplibSolution {
    /// The stated value.
    pub value: f64,
    /// The stated permutation, counted from 0. It may map either way: see [`QaplibInstance::orient`].
    pub permutation: Permutation,
}

/// Reads a problem: n, then A, then B, row by row.
///
/// ```text
/// 2
/// 0 3
/// 3 0
///
/// 0 1
/// 1 0
/// ```
///
/// The 1 + 2n² numbers may be split over lines in any way; spaces, tabs and commas part them.
///
/// ```
/// let problem = birkhoff::io::parse_qaplib("two.dat".as_ref(), b"2\n0 3\n3 0\n\n0 1\n1 0\n")?;
/// assert_eq!(problem.value(&birkhoff::Permutation::identity(2)), 6.0);
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`]; [`Error::Parse`] with the line: something that is no finite number, n not a whole number
/// above 0, numbers missing (how many were expected and found) or too many. O(bytes), whatever n is stated.
pub fn read_qaplib(path: &Path) -> Result<QaplibInstance> {
    let (source, bytes) = read_source(path)?;
    parse_qaplib(&source, &bytes)
}

/// [`read_qaplib`] from memory; `source` names the bytes in messages.
///
/// # Errors
/// As [`read_qaplib`].
pub fn parse_qaplib(source: &Path, bytes: &[u8]) -> Result<QaplibInstance> {
    let text = decode(source, bytes)?;
    let mut numbers = Numbers::new(source, &text);
    let n = numbers.size()?;
    let expected = n.checked_mul(n).and_then(|square| square.checked_mul(2));
    let Some(expected) = expected else {
        return Err(Error::parse(source, numbers.line, format!("n = {n} is too large")));
    };
    let entries = numbers.rest(expected, &format!("for A and B with n = {n}"))?;
    let (a, b) = entries.split_at(n * n);
    Ok(QaplibInstance { n, a: DMatrix::from_row_slice(n, n, a), b: DMatrix::from_row_slice(n, n, b) })
}

/// Reads a solution of a problem of size `n`: n, the value, the permutation.
///
/// ```text
/// 3 578
/// 2 3 1
/// ```
///
/// The permutation counts from 1, or from 0 if a 0 is in it (as in tai40a); spaces, tabs and commas part numbers.
///
/// # Errors
/// [`Error::Io`]; [`Error::Parse`] with the line: something that is no finite number, another n, entries
/// missing or too many, out of range or there twice. O(bytes).
pub fn read_qaplib_solution(path: &Path, n: usize) -> Result<QaplibSolution> {
    let (source, bytes) = read_source(path)?;
    parse_qaplib_solution(&source, &bytes, n)
}

/// [`read_qaplib_solution`] from memory; `source` names the bytes in messages.
///
/// # Errors
/// As [`read_qaplib_solution`].
pub fn parse_qaplib_solution(source: &Path, bytes: &[u8], n: usize) -> Result<QaplibSolution> {
    let text = decode(source, bytes)?;
    let mut numbers = Numbers::new(source, &text);
    let stated = numbers.size()?;
    if stated != n {
        let cause = format!("a solution for n = {stated}, but the problem has n = {n}");
        return Err(Error::parse(source, numbers.line, cause));
    }
    let Some(value) = numbers.next() else {
        return Err(Error::parse(source, numbers.line, "the value of the solution is missing"));
    };
    let value = value?;
    let entries = numbers.rest(n, "for the permutation")?;
    let refuse = |cause: String| Err(Error::parse(source, numbers.line, cause));
    let base = if entries.contains(&0.0) { 0.0 } else { 1.0 };
    let mut image = Vec::with_capacity(n);
    for entry in entries {
        let target = entry - base;
        if target.fract() != 0.0 || !(0.0..n as f64).contains(&target) {
            let last = base + n as f64 - 1.0;
            return refuse(format!("entry {entry} of the permutation is none of {base}..{last}"));
        }
        image.push(target as usize);
    }
    match Permutation::new(image) {
        Ok(permutation) => Ok(QaplibSolution { value, permutation }),
        Err(error) => refuse(error.to_string()),
    }
}

/// The numbers of a text, however they are split over lines.
struct Numbers<'t> {
    source: &'t Path,
    words: Box<dyn Iterator<Item = (usize, &'t str)> + 't>,
    /// The line of the last number read.
    line: usize,
}

impl<'t> Numbers<'t> {
    fn new(source: &'t Path, text: &'t str) -> Self {
        let words = |(line, content): (usize, &'t str)| {
            let words = content.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
            words.map(move |word| (line, word))
        };
        Numbers { source, words: Box::new(lines(text).flat_map(words)), line: 1 }
    }

    fn next(&mut self) -> Option<Result<f64>> {
        let (line, word) = self.words.next()?;
        self.line = line;
        Some(finite(self.source, line, "entry", word))
    }

    /// n, the first number of every file.
    fn size(&mut self) -> Result<usize> {
        let Some((line, word)) = self.words.next() else {
            return Err(Error::file(self.source, "the file is empty"));
        };
        self.line = line;
        match word.parse::<usize>() {
            Ok(n) if n > 0 => Ok(n),
            _ => Err(Error::parse(self.source, line, format!("n must be a whole number above 0, not {}", shown(word)))),
        }
    }

    /// All numbers that are left, which must be `expected` many. Memory grows with what is there.
    fn rest(&mut self, expected: usize, purpose: &str) -> Result<Vec<f64>> {
        let mut numbers = Vec::new();
        while let Some(number) = self.next() {
            if numbers.len() == expected {
                let cause = format!("more than the {expected} numbers that were expected {purpose}");
                return Err(Error::parse(self.source, self.line, cause));
            }
            numbers.push(number?);
        }
        if numbers.len() < expected {
            let cause = format!("the file ends early: expected {expected} numbers {purpose}, found {}", numbers.len());
            return Err(Error::parse(self.source, self.line, cause));
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    fn problem(text: &str) -> Result<QaplibInstance> {
        parse_qaplib(Path::new("p.dat"), text.as_bytes())
    }

    fn solution(text: &str) -> Result<QaplibSolution> {
        parse_qaplib_solution(Path::new("p.sln"), text.as_bytes(), 3)
    }

    #[test]
    fn numbers_may_be_split_over_lines_anyhow() {
        let expected = QaplibInstance { n: 2, a: dmatrix![1.0, 2.0; 3.0, 4.0], b: dmatrix![5.0, 6.0; 7.0, -8.5] };
        for text in ["2\n1 2\n3 4\n\n5 6\n7 -8.5", "2 1 2 3\r\n4 5 6 7 -8.5\r\n", "2,\n1,2,3,4,5,6\t7\n-8.5"] {
            assert_eq!(problem(text).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_wrong_in_a_problem_is_said_with_its_line() {
        for (text, expected) in [
            ("\n", "p.dat: the file is empty"),
            ("0", "p.dat:1: n must be a whole number above 0, not '0'"),
            ("\n-2 1", "p.dat:2: n must be"),
            ("2.5", "p.dat:1: n must be"),
            ("2\n1 2 x", "p.dat:2: entry 'x' is not a number"),
            ("2\n1 2 nan", "p.dat:2: entry 'nan' is not finite"),
            ("2\n1 2\n3 4\n5\n", "p.dat:4: the file ends early: expected 8 numbers for A and B with n = 2, found 5"),
            ("1 2\n3\n4", "p.dat:3: more than the 2 numbers"),
            ("1000000000 1", "p.dat:1: the file ends early: expected 2000000000000000000 numbers"),
            ("9999999999 1", "p.dat:1: n = 9999999999 is too large"),
            ("99999999999999999999 1", "p.dat:1: n must be"),
        ] {
            let message = problem(text).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
    }

    #[test]
    fn permutations_may_count_from_one_or_zero() {
        for text in ["3 578\n2 3 1", "3,578,\n2, 3, 1\n", "3\n578\n1 2 0"] {
            let solution = solution(text).unwrap();
            assert_eq!((solution.value, solution.permutation.image()), (578.0, &[1, 2, 0][..]), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_solution_is_said_with_its_line() {
        for (text, expected) in [
            ("", "p.sln: the file is empty"),
            ("4 1 1 2 3 4", "p.sln:1: a solution for n = 4, but the problem has n = 3"),
            ("3\n", "p.sln:1: the value of the solution is missing"),
            ("3 x", "p.sln:1: entry 'x' is not a number"),
            ("3 1\n1 2", "p.sln:2: the file ends early: expected 3 numbers for the permutation, found 2"),
            ("3 1\n1 2 3 4", "p.sln:2: more than the 3 numbers"),
            ("3 1\n1 2 4", "p.sln:2: entry 4 of the permutation is none of 1..3"),
            ("3 1\n0 1 3", "p.sln:2: entry 3 of the permutation is none of 0..2"),
            ("3 1\n1 2.5 3", "p.sln:2: entry 2.5 of"),
            ("3 1\n1 -2 3", "p.sln:2: entry -2 of"),
            ("3 1\n2 2 1", "p.sln:2: not a permutation of 0..3: entries 0 and 1 are both 1"),
        ] {
            let message = solution(text).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_solution_is_turned_so_that_it_has_its_value() {
        let (a, b) =
            (dmatrix![0.0, 5.0, 2.0; 5.0, 0.0, 3.0; 2.0, 3.0, 0.0], dmatrix![0., 8., 15.; 8., 0., 13.; 15., 13., 0.]);
        let problem = QaplibInstance { n: 3, a, b };
        let p = Permutation::new(vec![1, 2, 0]).unwrap();
        let value = problem.value(&p); // 2 (5·13 + 2·8 + 3·15) = 252 by hand
        assert_eq!(value, 252.0);
        let inverse = QaplibSolution { value, permutation: p.inverse() };
        assert_eq!(problem.orient(&inverse), Some(p));
        assert_eq!(problem.orient(&QaplibSolution { value: 1.0, ..inverse }), None);
    }
}
