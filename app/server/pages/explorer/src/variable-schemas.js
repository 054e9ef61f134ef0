/** Types that monaco-graphql takes a custom scalar for; JSON may be an object or a list as well. */
const SCALAR = JSON.stringify(['string', 'number', 'boolean', 'integer']);

let types = null;

/** Makes the editor of variables accept what the server does: any JSON for a scalar, and no value where there is a default. */
export function mendVariableSchemas(monaco, schema) {
  types = schema;
  const defaults = monaco.languages.json.jsonDefaults;
  if (defaults.isMended) return;
  const set = defaults.setDiagnosticsOptions.bind(defaults);
  defaults.isMended = true;
  defaults.setDiagnosticsOptions = options =>
    set({ ...options, schemas: options.schemas?.map(each => ({ ...each, schema: mended(each.schema) })) });
}

function mended(value, name) {
  if (Array.isArray(value)) return value.map(each => mended(each));
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mended(each, key)]));
  if (JSON.stringify(copy.type)?.includes(SCALAR.slice(1, -1))) delete copy.type;
  const fields = types?.getType(name)?.getFields?.() ?? {};
  if (Array.isArray(copy.required)) copy.required = copy.required.filter(each => fields[each]?.defaultValue === undefined);
  return copy;
}
