/** Ids that stand in the examples for those of objects of the caller; the server writes the same ones. */
export const PLACEHOLDERS = {
  '00000000-0000-7000-8000-000000000000': 'pipeline',
  '00000000-0000-7000-8000-000000000001': 'measurement',
  '00000000-0000-7000-8000-000000000002': 'cellSpecification',
  '00000000-0000-7000-8000-000000000003': 'cellInstance',
  '00000000-0000-7000-8000-000000000004': 'job',
};
/** Mutations that make something, and what it is. */
const MAKERS = {
  createPipeline: 'pipeline',
  duplicatePipeline: 'pipeline',
  rerunPipeline: 'pipeline',
  createMeasurement: 'measurement',
  createCellSpecification: 'cellSpecification',
  createCellInstance: 'cellInstance',
};
const newest = {};

/** A text with the newest ids that the page knows of in the place of their placeholders. */
export function withNewest(text) {
  for (const [placeholder, kind] of Object.entries(PLACEHOLDERS)) {
    if (newest[kind]) text = text.replaceAll(placeholder, newest[kind]);
  }
  return text;
}

/** Learns ids from the answer to an operation. */
export function learn(data) {
  for (const [name, value] of Object.entries(data ?? {})) {
    const kind = MAKERS[name];
    newest[kind] = value?.[kind]?.id ?? newest[kind];
    newest.job = jobOf(value?.elements) ?? newest.job;
  }
}

const jobOf = elements => (Array.isArray(elements) ? elements.find(each => each?.job?.id)?.job.id : undefined);

/** Learns the newest ids from an answer with the lists of all kinds. */
export function learnLists(data) {
  for (const [name, list] of Object.entries(data ?? {})) newest[name.slice(0, -1)] = list.nodes[0]?.id;
  newest.job = jobOf(data?.pipelines.nodes[0]?.elements);
}
