import { newKey, type DraftElement, type ElementType } from './draft';

/** Choices of a template. */
export interface Choices {
  /** Name of an objective, such as that of the measurement. */
  objective: string;
  /** Id of the measurement; null leaves a place for it. */
  measurement: string | null;
  cell: string;
  model: string;
}

export const CELLS = [
  'Chen2020',
  'Ai2020',
  'Chayambuka2022',
  'Chen2020_composite',
  'ECM_Example',
  'Ecker2015',
  'MSMR_Example',
  'Marquis2019',
  'Mohtat2020',
  'NCA_Kim2011',
  'OKane2022',
  'ORegan2022',
  'Prada2013',
  'Ramadass2004',
  'Xu2019',
];
export const MODELS = ['SPMe', 'SPM', 'DFN'];

export const NO_CHOICES: Choices = { objective: 'discharge', measurement: null, cell: 'Chen2020', model: 'SPMe' };

/** The configuration of one element, to run as it is. */
export interface ElementTemplate {
  label: string;
  type: ElementType;
  name: string;
  config: (choices: Choices) => object;
}

const data = ({ measurement }: Choices) => ({ data: `db:${measurement ?? 'MEASUREMENT'}` });

const objectives = (choices: Choices, options: object = {}) => ({
  [choices.objective]: {
    type: 'CurrentDriven',
    data: data(choices),
    options: { model: { type: choices.model, ...options } },
  },
});

const DIFFUSIVITY = { initial_value: 1e-14, bounds: [1e-15, 1e-13], transform: 'Log10' };

export const ELEMENTS: ElementTemplate[] = [
  { label: 'Parameter set of PyBaMM', type: 'DIRECT_ENTRY', name: 'cell', config: ({ cell }) => ({ parameter_set: cell }) },
  {
    label: 'Values',
    type: 'DIRECT_ENTRY',
    name: 'datasheet',
    config: () => ({
      source: 'Chen et al. 2020, Table VII',
      values: {
        'Electrode area [m2]': 0.1027,
        'Positive electrode thickness [m]': 7.56e-5,
        'Positive electrode active material volume fraction': 0.665,
        'Maximum concentration in positive electrode [mol.m-3]': 63104,
        'Positive particle radius [m]': 5.22e-6,
      },
    }),
  },
  {
    label: 'Initial state of charge',
    type: 'DIRECT_ENTRY',
    name: 'start',
    config: () => ({ name: 'InitialStateOfCharge', value: 100 }),
  },
  { label: 'Temperatures', type: 'DIRECT_ENTRY', name: 'temperatures', config: () => ({ name: 'temperatures', T: 298.15 }) },
  {
    label: 'Diffusivity, by least squares',
    type: 'DATA_FIT',
    name: 'fit',
    config: choices => ({
      objectives: objectives(choices),
      parameters: { 'Positive particle diffusivity [m2.s-1]': DIFFUSIVITY },
      optimizer: { type: 'ScipyLeastSquares' },
    }),
  },
  {
    label: 'Contact resistance, by least squares',
    type: 'DATA_FIT',
    name: 'fit',
    config: choices => ({
      objectives: objectives(choices, { options: { 'contact resistance': 'true' } }),
      parameters: { 'Contact resistance [Ohm]': { initial_value: 0.005, bounds: [0, 0.1] } },
      optimizer: { type: 'ScipyLeastSquares' },
    }),
  },
  {
    label: 'Two diffusivities, by CMA-ES',
    type: 'DATA_FIT',
    name: 'fit',
    config: choices => ({
      objectives: objectives(choices),
      parameters: {
        'Positive particle diffusivity [m2.s-1]': DIFFUSIVITY,
        'Negative particle diffusivity [m2.s-1]': { ...DIFFUSIVITY, initial_value: 3e-14 },
      },
      optimizer: { type: 'CMAES', max_iterations: 100 },
    }),
  },
  {
    label: 'Electrode capacity',
    type: 'CALCULATION',
    name: 'capacity',
    config: () => ({ type: 'ElectrodeCapacity', electrode: 'positive', use_stoich_window: false }),
  },
  {
    label: 'Surface area to volume ratio',
    type: 'CALCULATION',
    name: 'surface',
    config: () => ({ type: 'SurfaceAreaToVolumeRatio', electrode: 'positive' }),
  },
  { label: 'States of health of the electrodes', type: 'CALCULATION', name: 'health', config: () => ({ type: 'ElectrodeSOH' }) },
  {
    label: 'Model against a measurement',
    type: 'VALIDATION',
    name: 'validation',
    config: choices => ({ objectives: objectives(choices) }),
  },
];

/** A whole pipeline, to run as it is. */
export interface PipelineTemplate {
  id: string;
  label: string;
  purpose: string;
  /** Labels of its elements' templates. */
  elements: string[];
  usesData: boolean;
}

const CELL = 'Parameter set of PyBaMM';

export const PIPELINES: PipelineTemplate[] = [
  {
    id: 'diffusivity',
    label: 'Fit a diffusivity',
    purpose: 'The positive particle diffusivity, from a discharge.',
    elements: [CELL, 'Diffusivity, by least squares'],
    usesData: true,
  },
  {
    id: 'resistance',
    label: 'Fit a contact resistance',
    purpose: 'The contact resistance, from a discharge.',
    elements: [CELL, 'Contact resistance, by least squares'],
    usesData: true,
  },
  {
    id: 'two',
    label: 'Fit two diffusivities, then validate',
    purpose: 'Both particle diffusivities by CMA-ES, and the model against the data.',
    elements: [CELL, 'Two diffusivities, by CMA-ES', 'Model against a measurement'],
    usesData: true,
  },
  {
    id: 'validate',
    label: 'Compare a model with a measurement',
    purpose: 'RMSE, MAE and greatest error, without a fit.',
    elements: [CELL, 'Model against a measurement'],
    usesData: true,
  },
  {
    id: 'capacity',
    label: 'Calculate an electrode capacity',
    purpose: 'From the values of a datasheet, without data.',
    elements: ['Values', 'Electrode capacity'],
    usesData: false,
  },
];

/** The text of a configuration, with each list of numbers in one line. */
export const configText = (template: ElementTemplate, choices: Choices): string =>
  JSON.stringify(template.config(choices), null, 2).replace(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_, items: string) => `[${items.replace(/\s+/g, ' ')}]`,
  );

export function elementOf(template: ElementTemplate, choices: Choices): DraftElement {
  return { key: newKey(), name: template.name, type: template.type, text: configText(template, choices) };
}

/** The elements and the name of a pipeline from a template. */
export function pipelineOf(template: PipelineTemplate, choices: Choices): { name: string; elements: DraftElement[] } {
  const elements = template.elements.map(label =>
    elementOf(
      ELEMENTS.find(each => each.label === label)!,
      choices,
    ),
  );
  const name = template.usesData ? `${choices.objective}: ${choices.model} of ${choices.cell}` : template.label;
  return { name, elements };
}
