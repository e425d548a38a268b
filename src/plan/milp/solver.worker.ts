// The solver's own thread: HiGHS blocks it until the program is solved, while its owner goes on and may ask it to stop.
import { parentPort } from 'node:worker_threads';
import highsModule, { type Highs, type Model } from 'highs';
import type { Milp } from './milp.ts';
import type { Progress, Solution, SolveOptions, SolveReply, SolveRequest } from './solution.ts';

const port = parentPort;
if (!port) throw new Error('solver.worker runs only as a worker');
// The package's types describe its CommonJS form; what its ES module exports is the loader itself.
const loadHighs = highsModule as unknown as typeof highsModule.default;
const loading = loadHighs();

port.on('message', (request: SolveRequest) => {
  const reply = (message: SolveReply) => port.postMessage(message);
  const { id } = request;
  void loading
    .then((highs) => reply({ id, solution: solve(highs, request, (progress) => reply({ id, progress })) }))
    .catch((error: unknown) => reply({ id, error: error instanceof Error ? error.message : String(error) }));
});

const progressEveryS = 0.2;

function solve(highs: Highs, { milp, options, stop }: SolveRequest, tell: (progress: Progress) => void): Solution {
  const model = highs.createModel(modelData(highs, milp));
  try {
    model.options.set(optionValues(options, milp));
    if (options.start) model.setSolution({ colValue: options.start });
    const { callbackType } = highs.constants;
    let toldS = 0;
    const stopIfAsked = (event: { interrupt(): void }): undefined => {
      if (Atomics.load(stop, 0) === 1) event.interrupt();
    };
    model.run({
      [callbackType.simplexInterrupt]: stopIfAsked,
      [callbackType.ipmInterrupt]: stopIfAsked,
      // Called often, unlike the channel for logging, which is silent when the solver may not print.
      [callbackType.mipInterrupt]: (event): undefined => {
        stopIfAsked(event);
        const { mip_primal_bound: objective, mip_dual_bound: bound, running_time: elapsedS = 0 } = event.data;
        if (objective === undefined || bound === undefined || elapsedS < toldS + progressEveryS) return;
        toldS = elapsedS;
        tell({ objective, bound, elapsedS });
      },
    });
    return solutionOf(highs, model, milp);
  } finally {
    model.dispose();
  }
}

function modelData(highs: Highs, milp: Milp) {
  const { objectiveSense, variableType } = highs.constants;
  const integrality = milp.isWhole && Int32Array.from(milp.isWhole, (w) => (w ? variableType.integer : 0));
  return {
    numCols: milp.cost.length,
    numRows: milp.rowLower.length,
    sense: milp.sense === 'minimise' ? objectiveSense.minimize : objectiveSense.maximize,
    colCost: milp.cost,
    colLower: milp.lower,
    colUpper: milp.upper,
    rowLower: milp.rowLower,
    rowUpper: milp.rowUpper,
    matrix: {
      format: 'csr' as const,
      numRows: milp.rowLower.length,
      numCols: milp.cost.length,
      starts: milp.starts,
      indices: milp.indices,
      values: milp.values,
    },
    ...(integrality ? { integrality } : {}),
  };
}

function optionValues({ timeLimitS, relativeGap = 1e-9, absoluteGap = 1e-6, method }: SolveOptions, milp: Milp) {
  return {
    output_flag: false,
    mip_rel_gap: relativeGap,
    mip_abs_gap: absoluteGap,
    ...(timeLimitS === undefined ? {} : { time_limit: timeLimitS }),
    // For a program with whole variables this option would mean "forget that they are whole".
    ...(method === undefined || milp.isWhole ? {} : { solver: method }),
  };
}

/** `primal_solution_status` when the point satisfies every bound and row. */
const feasible = 2;

function solutionOf(highs: Highs, model: Model, milp: Milp): Solution {
  const { modelStatus } = highs.constants;
  const code = model.getModelStatus();
  const nothingProved = milp.sense === 'minimise' ? -Infinity : Infinity;
  if (code === modelStatus.infeasible) return { status: 'infeasible', bound: -nothingProved };
  if (code === modelStatus.unbounded) return { status: 'unbounded', bound: nothingProved };
  const isOptimal = code === modelStatus.optimal || code === modelStatus.empty;
  const isStopped =
    code === modelStatus.timeLimit || code === modelStatus.interrupted || code === modelStatus.iterationLimit;
  if (!isOptimal && !isStopped) throw new Error(`HiGHS ended without an answer (model status ${code})`);
  const found = isOptimal || model.info.get('primal_solution_status') === feasible;
  const { colValue, rowDual } = model.getSolution();
  const objective = model.getObjectiveValue();
  const bound = milp.isWhole ? Number(model.info.get('mip_dual_bound')) : isOptimal ? objective : nothingProved;
  return {
    status: isOptimal ? 'optimal' : 'stopped',
    bound,
    ...(found ? { objective, values: colValue } : {}),
    ...(isOptimal && !milp.isWhole ? { rowDuals: rowDual } : {}),
  };
}
