// Inverse of a matrix, and sums over flat ones.

/** Gauss-Jordan with the largest pivot. matrix: rows. Returns rows. */
export function invert(matrix) {
  const size = matrix.length;
  const rows = matrix.map((row, i) => Float64Array.from({ length: 2 * size }, (_, j) => (j < size ? row[j] : Number(j - size === i))));
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1) if (Math.abs(rows[row][column]) > Math.abs(rows[pivot][column])) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    const by = 1 / rows[column][column];
    rows[column] = rows[column].map((value) => value * by);
    for (let row = 0; row < size; row += 1) {
      const times = rows[row][column];
      if (row !== column && times) for (let j = column; j < 2 * size; j += 1) rows[row][j] -= times * rows[column][j];
    }
  }
  return rows.map((row) => row.subarray(size));
}

/** Sum of products of two arrays of one length. */
export function dot(one, other) {
  let sum = 0;
  for (let at = 0; at < one.length; at += 1) sum += one[at] * other[at];
  return sum;
}
