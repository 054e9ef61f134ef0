import { parse } from 'graphql';
import { apiKey, noteRefusal } from './key.js';
import { learn } from './newest.js';
import { parseExact } from './numbers.js';
import { subscription } from './subscription.js';
import { exactVariables } from './variables.js';

/** Names of headers by which a tab may send a key of its own. */
const CREDENTIALS = ['x-api-key', 'authorization'];

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
    return [{ query, variables, operationName }, false]; // the server tells what is wrong with the document
  }
}

/** Sends an operation to the page's own address, whatever path prefix a proxy gave it, with the key of the page. */
export async function fetcher(operation, options) {
  const [asked, subscribes] = rightlyNamed(operation);
  const headers = new Headers({
    Accept: subscribes ? 'text/event-stream' : 'application/graphql-response+json, application/json;q=0.9',
    'Content-Type': 'application/json',
  });
  for (const [name, value] of Object.entries(options?.headers ?? {})) headers.set(name, value);
  if (apiKey() && !CREDENTIALS.some(name => headers.has(name))) headers.set('X-API-Key', apiKey());
  const body = JSON.stringify({ ...asked, variables: exactVariables(asked.variables) });
  const request = { method: 'POST', headers, body };
  if (subscribes) return subscription(location.pathname, request, answered);
  const result = await answered(await fetch(location.pathname, request));
  learn(result.data);
  return result;
}

/** The JSON of a response as a result; any other text as an error. */
async function answered(response) {
  noteRefusal(response.status === 401);
  const text = await response.text();
  try {
    return parseExact(text);
  } catch {
    // A proxy may answer in HTML: its text helps more than an error about the JSON.
    return { errors: [{ message: `HTTP ${response.status}, and no JSON: ${text}` }] };
  }
}
