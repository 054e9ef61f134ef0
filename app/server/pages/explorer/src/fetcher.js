import { parse } from 'graphql';
import { subscription } from './subscription.js';

let newest = null;

/** The id of the newest pipeline this page knows of, or null. */
export const newestId = () => newest;

/**
 * The operation with no name but one of its document's, and whether it is a subscription. For a tenth of a second after
 * a tab is opened GraphiQL still has the name from the tab before.
 */
function rightlyNamed({ query, variables, operationName }) {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === 'OperationDefinition');
    const named = operations.find(({ name }) => name?.value === operationName);
    const subscribes = (named ?? operations[0])?.operation === 'subscription';
    return [{ query, variables, operationName: named && operationName }, subscribes];
  } catch {
    return [{ query, variables, operationName }, false]; // what is wrong with the document, the server says
  }
}

/** Sends an operation to the page's own address, whatever path prefix a proxy gave it. */
export async function fetcher(operation, options) {
  const [asked, subscribes] = rightlyNamed(operation);
  const headers = new Headers({
    Accept: subscribes ? 'text/event-stream' : 'application/graphql-response+json, application/json;q=0.9',
    'Content-Type': 'application/json',
  });
  for (const [name, value] of Object.entries(options?.headers ?? {})) headers.set(name, value);
  const body = JSON.stringify(asked);
  if (subscribes) return subscription(location.pathname, headers, body);
  const response = await fetch(location.pathname, { method: 'POST', headers, body });
  const text = await response.text();
  let result;
  try {
    result = JSON.parse(text);
  } catch {
    // A proxy in between may answer in HTML. Its words help more than a complaint about the JSON.
    return { errors: [{ message: `HTTP ${response.status}, and no JSON: ${text}` }] };
  }
  newest = result.data?.createPipeline?.pipeline?.id ?? newest;
  return result;
}

/** Learns the newest pipeline's id from the server. Not knowing it keeps nobody from the page. */
export async function askNewestId() {
  try {
    const { data } = await fetcher({ query: '{ pipelines(first: 1) { nodes { id } } }' });
    newest = data?.pipelines?.nodes?.[0]?.id ?? null;
  } catch {
    newest = null;
  }
}
