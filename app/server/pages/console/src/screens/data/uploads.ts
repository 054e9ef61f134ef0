import { client } from '../../api/client';
import { explained } from '../../api/hooks';
import { Store } from '../../api/store';
import {
  ConsoleCompleteMeasurementDocument,
  ConsoleCreateMeasurementDocument,
  ConsoleDeleteMeasurementDocument,
  ConsoleMeasurementStatusDocument,
  ConsoleMeasurementUpdatedDocument,
} from '../../generated/operations';

export type Stage = 'waiting' | 'sending' | 'reading' | 'ready' | 'failed';

/** A file on its way: created, sent, and read by the server. */
export interface Upload {
  id: number;
  name: string;
  bytes: number;
  sent: number;
  stage: Stage;
  /** Why it failed. */
  problem: string | null;
  /** Id of its measurement, once it is created. */
  measurement: string | null;
  /** Number of rows, once it is read. */
  rows: number | null;
}

/** The uploads of this tab, the newest first. They go on while another screen is shown. */
export const uploads = new Store<readonly Upload[]>([]);

const requests = new Map<number, XMLHttpRequest>();
const POLL = 2_000;
let last = 0;
let queue: Promise<void> = Promise.resolve();

/** Upload a file to a project; one file after the other. */
export function upload(file: File, projectId: string): void {
  const id = ++last;
  const stem = file.name.replace(/\.[^.]+$/, '') || file.name;
  const start: Upload = { id, name: file.name, bytes: file.size, sent: 0, stage: 'waiting', problem: null, measurement: null, rows: null };
  uploads.set([start, ...uploads.value]);
  queue = queue.then(() =>
    run(id, file, stem.slice(0, 255), projectId).catch((error: Error) => change(id, { stage: 'failed', problem: error.message })),
  );
}

/** Stop the sending of a file, or forget one that has ended. */
export function dismiss(id: number): void {
  requests.get(id)?.abort();
  uploads.set(uploads.value.filter(each => each.id !== id));
}

/** Whether leaving the page would break an upload off. */
const isSending = () => uploads.value.some(({ stage }) => stage === 'waiting' || stage === 'sending');
addEventListener('beforeunload', event => {
  if (isSending()) event.preventDefault();
});

function change(id: number, values: Partial<Upload>): void {
  uploads.set(uploads.value.map(each => (each.id === id ? { ...each, ...values } : each)));
}

async function run(id: number, file: File, name: string, projectId: string): Promise<void> {
  if (!uploads.value.some(each => each.id === id)) return; // dismissed while it waited
  if (file.size === 0) throw new Error('The file is empty.');
  const input = { projectId, name, fileName: file.name.slice(0, 255), bytes: file.size };
  const created = await client.value.mutation(ConsoleCreateMeasurementDocument, { input }).toPromise();
  if (created.error) throw new Error(explained(created.error));
  const { measurement, upload: right, userErrors } = created.data!.createMeasurement;
  if (!measurement || !right) throw new Error(userErrors.map(({ message }) => message).join(' '));
  change(id, { measurement: measurement.id, stage: 'sending' });
  try {
    await send(id, file, right);
  } catch (error) {
    // Without its file the measurement is of no use.
    void client.value.mutation(ConsoleDeleteMeasurementDocument, { id: measurement.id }).toPromise();
    change(id, { measurement: null });
    throw error;
  }
  change(id, { stage: 'reading', sent: file.size });
  const completed = await client.value.mutation(ConsoleCompleteMeasurementDocument, { id: measurement.id }).toPromise();
  if (completed.error) throw new Error(explained(completed.error));
  const problems = completed.data!.completeMeasurement.userErrors;
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join(' '));
  const { status, error, rows } = await read(measurement.id);
  if (status === 'FAILED') throw new Error(error ?? 'The file could not be read.');
  change(id, { stage: 'ready', rows });
}

/** Send the bytes by XMLHttpRequest, which reports its progress. */
function send(id: number, file: File, right: { url: string; method: string; headers: unknown }): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    requests.set(id, request);
    // The address is relative to the server, of which this page may know a path prefix.
    request.open(right.method, new URL(right.url.replace(/^\//, ''), location.href));
    for (const [name, value] of Object.entries(right.headers as Record<string, string>)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => change(id, { sent: loaded });
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(refusal(request))));
    request.onerror = () => reject(new Error('The connection broke. Drop the file again.'));
    request.onabort = () => reject(new Error('Stopped.'));
    request.onloadend = () => requests.delete(id);
    request.send(file);
  });
}

function refusal({ status, responseText }: XMLHttpRequest): string {
  try {
    const { detail } = JSON.parse(responseText) as { detail?: unknown };
    if (typeof detail === 'string') return detail;
  } catch {
    // No JSON: a proxy answered.
  }
  return `The upload was answered by ${status}.`;
}

interface Read {
  status: string;
  error: string | null | undefined;
  rows: number | null;
}

/** Wait until the file is read: by a stream, and by asking, for a stream may break without notice. */
function read(id: string): Promise<Read> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const note = (found: { status: string; error?: string | null | undefined; rows?: number | null | undefined; isTerminal: boolean }) => {
      if (isOver || (!found.isTerminal && found.status !== 'READY')) return;
      isOver = true;
      clearTimeout(asking);
      queueMicrotask(() => stream.unsubscribe());
      resolve({ status: found.status, error: found.error, rows: found.rows ?? null });
    };
    const poll = async () => {
      while (!isOver) {
        const { data } = await client.value.query(ConsoleMeasurementStatusDocument, { id }, { requestPolicy: 'network-only' }).toPromise();
        if (data && !data.measurement) return reject(new Error('The measurement was deleted.'));
        if (data?.measurement) note(data.measurement);
        await new Promise(done => setTimeout(done, POLL));
      }
    };
    const asking = setTimeout(() => void poll(), POLL);
    const stream = client.value.subscription(ConsoleMeasurementUpdatedDocument, { id }).subscribe(({ data }) => {
      if (data) note(data.measurementUpdated);
    });
  });
}
