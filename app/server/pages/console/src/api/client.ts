import { Client, fetchExchange, mapExchange, type CombinedError, type Operation } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { lost, reached } from './connection';
import { fetchExact, withExact } from './exact';
import { key, keyWanted } from './key';
import { Store } from './store';

/** The address of GraphQL beside this page, whatever path prefix a proxy gave it. */
export const ENDPOINT = new URL('graphql', location.href).href;

/** Types that are parts of others, without an id of their own. */
const PARTS = [
  'AuditEntryConnection', 'CalculationResult', 'Checkpoint', 'EntryResult', 'OptimizationResult', 'ValidationResult', 'ConfigurationProblem', 'ElementObjective', 'Failure', 'JobLogLine', 'MeasurementColumn',
  'MeasurementConnection', 'MeasurementUpload', 'ObjectiveSource', 'ObjectiveSummary', 'OmittedParameter', 'PageInfo',
  'ParameterSet', 'ParameterValue', 'PipelineActions', 'PipelineChange', 'PipelineCheck', 'PipelineConnection',
  'PipelineOptions', 'PipelineProgress', 'RateLimit', 'ResultWarning', 'Statistic', 'StatusCount', 'System', 'UserError',
  'Viewer',
]; // prettier-ignore

function made(): Client {
  const used = key.value;
  return new Client({
    url: ENDPOINT,
    preferGetMethod: false,
    fetch: fetchExact,
    fetchSubscriptions: true, // server-sent events: a header carries the key, as with every other request
    fetchOptions: () => (key.value === null ? {} : { headers: { 'x-api-key': key.value } }),
    exchanges: [
      mapExchange({
        onResult({ error, operation }) {
          if (error === undefined) return reached();
          if (isUnauthenticated(error)) {
            if (key.value === used) keyWanted.set(reason(error)); // otherwise another key was entered meanwhile
          } else if (isLost(error) && !isEnd(operation, error)) lost();
        },
      }),
      cacheExchange({ keys: { ...Object.fromEntries(PARTS.map(name => [name, () => null])), ApiKey: ({ prefix }) => String(prefix) } }),
      mapExchange({ onResult: result => ({ ...result, data: withExact(result.data) }) }),
      fetchExchange,
    ],
  });
}

/** The client. A new key gets a new one, whose cache knows nothing of what the old key saw. */
export const client = new Store(made());
key.listen(() => client.set(made()));

/** Whether an error means that the key is missing, wrong or revoked. */
export function isUnauthenticated({ graphQLErrors, response }: CombinedError): boolean {
  return response?.status === 401 || graphQLErrors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');
}

/** Whether the server could not be reached, or a proxy answered in its place. */
export function isLost({ networkError, response }: CombinedError): boolean {
  return networkError !== undefined && (response === undefined || response.status === 200 || response.status >= 502);
}

/** Whether a stream ended. The next attempt shows whether the server is there. */
function isEnd({ kind }: Operation, { response }: CombinedError): boolean {
  return kind === 'subscription' && response?.status === 200;
}

function reason({ graphQLErrors }: CombinedError): string {
  if (key.value === null) return 'This server asks for an API key.';
  return graphQLErrors[0]?.message ?? 'This key is not valid any more.';
}
