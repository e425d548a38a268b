/** A linear program, some of whose variables may have to be whole: typed arrays, rows in compressed sparse form. */
export interface Milp {
  sense: 'minimise' | 'maximise';
  cost: Float64Array;
  lower: Float64Array;
  /** `Infinity` where there is no bound. */
  upper: Float64Array;
  /** 1 where the variable has to be whole; absent in a linear program. */
  isWhole?: Uint8Array;
  rowLower: Float64Array;
  rowUpper: Float64Array;
  /** Where the entries of each row begin in `indices` and `values`; one more than there are rows. */
  starts: Int32Array;
  /** Variable of each entry. */
  indices: Int32Array;
  values: Float64Array;
}

export interface Variable {
  cost?: number;
  lower?: number;
  upper?: number;
  isWhole?: boolean;
}

/** Grows a program variable by variable and row by row; an infinite side of a row is none. */
export class MilpBuilder {
  readonly #cost: number[] = [];
  readonly #lower: number[] = [];
  readonly #upper: number[] = [];
  readonly #isWhole: number[] = [];
  readonly #rowLower: number[] = [];
  readonly #rowUpper: number[] = [];
  readonly #starts: number[] = [0];
  readonly #indices: number[] = [];
  readonly #values: number[] = [];

  /** @returns the number of the variable. */
  variable({ cost = 0, lower = 0, upper = Infinity, isWhole = false }: Variable = {}): number {
    this.#lower.push(lower);
    this.#upper.push(upper);
    this.#isWhole.push(isWhole ? 1 : 0);
    return this.#cost.push(cost) - 1;
  }

  /** @returns the number of a variable that is 0 or 1. */
  binary(cost = 0): number {
    return this.variable({ cost, upper: 1, isWhole: true });
  }

  /** lower ≤ Σ values · variables ≤ upper. */
  row(lower: number, upper: number, variables: readonly number[], values: readonly number[]): void {
    for (let i = 0; i < variables.length; i++) {
      this.#indices.push(variables[i]!);
      this.#values.push(values[i]!);
    }
    this.#rowLower.push(lower);
    this.#rowUpper.push(upper);
    this.#starts.push(this.#indices.length);
  }

  build(sense: Milp['sense'] = 'minimise'): Milp {
    const hasWhole = this.#isWhole.includes(1);
    return {
      sense,
      cost: Float64Array.from(this.#cost),
      lower: Float64Array.from(this.#lower),
      upper: Float64Array.from(this.#upper),
      ...(hasWhole ? { isWhole: Uint8Array.from(this.#isWhole) } : {}),
      rowLower: Float64Array.from(this.#rowLower),
      rowUpper: Float64Array.from(this.#rowUpper),
      starts: Int32Array.from(this.#starts),
      indices: Int32Array.from(this.#indices),
      values: Float64Array.from(this.#values),
    };
  }
}
