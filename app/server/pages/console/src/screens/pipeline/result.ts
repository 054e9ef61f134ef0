import { isExact, type Exact } from '../../api/exact';
import { count, short } from '../../components/numbers';

export interface Value {
  name: string;
  value: number | Exact;
  initial?: number | undefined;
  error?: number | undefined;
  lower?: number | undefined;
  upper?: number | undefined;
  bounds?: [number, number] | undefined;
  atBound: boolean;
}

export interface Result {
  facts: Array<[string, string]>;
  values: Value[];
  /** Values that are no numbers. */
  functions: Array<{ name: string; value: unknown }>;
  statistics: Array<{ objective: string; statistic: string; variable: string; value: number | null }>;
  level: number | undefined;
  correlation: { parameters: string[]; matrix: number[][] } | undefined;
}

type Numbers = Record<string, number | null | undefined>;

/** The parts of a result that the page shows. */
interface Raw {
  parameter_values?: Record<string, unknown>;
  cost?: number | null;
  evaluations?: number;
  failed_evaluations?: number;
  success?: boolean;
  message?: string;
  initial_guess?: Numbers;
  standard_errors?: Numbers;
  confidence_level?: number;
  confidence_intervals?: Record<string, { lower?: number | null; upper?: number | null } | null | undefined>;
  correlation?: { parameters: string[]; matrix: number[][] } | null;
  at_bounds?: Record<string, unknown>;
  effective_config?: { parameters?: Record<string, { bounds?: [number, number] } | null | undefined> };
  summary_stats?: Record<string, Record<string, Numbers | number | null>>;
}

/** Read a result as the page shows it. */
export function resultOf(raw: unknown): Result {
  const result = raw as Raw;
  const entries = Object.entries(result.parameter_values ?? {});
  return {
    facts: facts(result),
    values: entries.flatMap(([name, value]) => (isNumber(value) ? [valueOf(result, name, value)] : [])),
    functions: entries.flatMap(([name, value]) => (isNumber(value) ? [] : [{ name, value }])),
    statistics: statistics(result),
    level: result.confidence_level,
    correlation: result.correlation ?? undefined,
  };
}

function facts(result: Raw): Array<[string, string]> {
  const found: Array<[string, string]> = [];
  if (typeof result.cost === 'number') found.push(['Cost', short(result.cost)]);
  if (typeof result.evaluations === 'number') found.push(['Evaluations', count(result.evaluations)]);
  if (result.failed_evaluations) found.push(['Without a solution', count(result.failed_evaluations)]);
  if (typeof result.success === 'boolean') found.push(['Converged', result.success ? 'yes' : 'no']);
  if (result.message) found.push(['Optimiser', result.message]);
  return found;
}

function valueOf(result: Raw, name: string, value: number | Exact): Value {
  const interval = result.confidence_intervals?.[name];
  return {
    name,
    value,
    initial: result.initial_guess?.[name] ?? undefined,
    error: result.standard_errors?.[name] ?? undefined,
    lower: interval?.lower ?? undefined,
    upper: interval?.upper ?? undefined,
    bounds: result.effective_config?.parameters?.[name]?.bounds,
    atBound: !!result.at_bounds?.[name],
  };
}

function statistics({ summary_stats }: Raw): Result['statistics'] {
  return Object.entries(summary_stats ?? {}).flatMap(([objective, each]) =>
    Object.entries(each).flatMap(([statistic, values]) =>
      typeof values === 'object' && values !== null
        ? Object.entries(values).map(([variable, value]) => ({ objective, statistic, variable, value: value ?? null }))
        : [{ objective, statistic, variable: '', value: values }],
    ),
  );
}

/** The table or the arguments of a value that is a function. */
export function functionOf(value: unknown): { args: string[]; x?: number[]; y?: number[] } {
  const { func_args: args = [], children = [] } = (value ?? {}) as { func_args?: string[]; children?: unknown[] };
  const { x, y } = (children[0] ?? {}) as { x?: unknown; y?: unknown };
  const axis = Array.isArray(x) && Array.isArray(x[0]) ? (x.length === 1 ? x[0] : null) : x;
  if (!isNumbers(axis) || !isNumbers(y) || axis.length !== y.length) return { args };
  const order = axis.map((_, i) => i).sort((a, b) => (axis[a] ?? 0) - (axis[b] ?? 0));
  return { args, x: order.map(i => axis[i] as number), y: order.map(i => y[i] as number) };
}

const isNumber = (value: unknown): value is number | Exact => typeof value === 'number' || isExact(value);

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 1 && value.every(each => typeof each === 'number');
}
