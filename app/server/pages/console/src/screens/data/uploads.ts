import { client, isUnauthenticated } from '../../api/client';
import { explained } from '../../api/hooks';
import { Store } from '../../api/store';
import {
  ConsoleCompleteMeasurementDocument,
  ConsoleCreateMeasurementDocument,
  ConsoleDeleteMeasurementDocument,
  ConsoleMeasurementStatusDocument,
  type ConsoleMeasurementStatusQuery,
} from '../../generated/operations';

export type Stage = 'waiting' | 'sending' | 'reading' | 'ready' | 'failed';

/** A file on its way: created, sent, and read by the server. */
export interface Upload {
  id: number;
  name: string;
  bytes: number;
  sent: number;
  stage: Stage;
  /** Why it failed, or why it is not known yet whether it is read. */
  problem: string | null;
  /** Whether another attempt may succeed. */
  canRetry: boolean;
  /** Id of its measurement, once it is created. */
  measurement: string | null;
  /** Number of rows, once it is read. */
  rows: number | null;
}

/** The uploads of this tab, the newest first. They go on while another screen is shown. */
export const uploads = new Store<readonly Upload[]>([]);

interface Right {
  url: string;
  method: string;
  headers: unknown;
}

/** A file with its measurement and its right to upload, which later attempts use again. */
interface Transfer {
  id: number;
  file: File;
  projectId: string;
  created: { measurement: string; right: Right } | null;
  request: XMLHttpRequest | null;
}

/** A failure; another attempt may succeed unless it is the file's. */
class Failure extends Error {
  constructor(
    message: string,
    readonly canRetry: boolean,
    /** Whether the right to upload has expired: another attempt needs another measurement. */
    readonly isExpired = false,
  ) {
    super(message);
  }
}

const transfers = new Map<number, Transfer>();
const FIRST_WAIT = 250;
const LONGEST_WAIT = 2_000;
const SILENT = 20_000;
const LONGEST_NAME = 255;
let last = 0;
let queue: Promise<void> = Promise.resolve();

/** Upload a file to a project. Files are sent one after the other; the server reads them meanwhile. */
export function upload(file: File, projectId: string): void {
  const id = ++last;
  const start: Upload = { id, name: file.name, bytes: file.size, sent: 0, stage: 'waiting', problem: null, canRetry: false, measurement: null, rows: null };
  uploads.set([start, ...uploads.value]);
  transfers.set(id, { id, file, projectId, created: null, request: null });
  enqueue(id);
}

/** Try a failed upload again. What the server has of it already is not sent again. */
export function retry(id: number): void {
  change(id, { stage: 'waiting', sent: 0, problem: null, canRetry: false });
  enqueue(id);
}

/** Stop the sending of a file and leave nothing of it on the server, or forget one that has ended. */
export function dismiss(id: number): void {
  const transfer = transfers.get(id);
  const stage = uploads.value.find(each => each.id === id)?.stage;
  transfers.delete(id);
  uploads.set(uploads.value.filter(each => each.id !== id));
  transfer?.request?.abort();
  if (transfer && (stage === 'failed' || stage === 'waiting')) remove(transfer);
}

/** Leaving the page would break these uploads off. */
addEventListener('beforeunload', event => {
  if (uploads.value.some(({ stage }) => stage === 'waiting' || stage === 'sending')) event.preventDefault();
});

function change(id: number, values: Partial<Upload>): void {
  uploads.set(uploads.value.map(each => (each.id === id ? { ...each, ...values } : each)));
}

function enqueue(id: number): void {
  queue = queue.then(async () => {
    const transfer = transfers.get(id);
    if (transfer === undefined) return; // stopped while it waited
    try {
      await deliver(transfer);
    } catch (error) {
      return fail(transfer, error as Error);
    }
    if (!transfers.has(id)) return remove(transfer);
    void finish(transfer).catch((error: Error) => fail(transfer, error));
  });
}

function fail(transfer: Transfer, error: Error): void {
  if (!transfers.has(transfer.id)) return remove(transfer); // stopped
  const canRetry = error instanceof Failure && error.canRetry;
  change(transfer.id, { stage: 'failed', problem: error.message, canRetry });
}

/** Delete the measurement of a file that did not arrive. */
function remove({ created }: Transfer): void {
  if (created) void client.value.mutation(ConsoleDeleteMeasurementDocument, { id: created.measurement }).toPromise();
}

/** Create a measurement, send its file, and have the server read it. */
async function deliver(transfer: Transfer): Promise<void> {
  if (transfer.file.size === 0) throw new Failure('The file is empty.', false);
  if (transfer.created && (await complete(transfer.created.measurement)) === null) return; // it had arrived
  const { measurement, right } = (transfer.created ??= await create(transfer));
  if (!transfers.has(transfer.id)) throw new Failure('Stopped.', false);
  change(transfer.id, { measurement, stage: 'sending' });
  try {
    await send(transfer, right);
  } catch (error) {
    if (error instanceof Failure && error.canRetry && !error.isExpired) throw error;
    remove(transfer); // without its file the measurement is of no use
    transfer.created = null;
    change(transfer.id, { measurement: null });
    throw error;
  }
  const refused = await complete(measurement);
  if (refused !== null) throw new Failure(refused, true);
}

async function create({ file, projectId }: Transfer): Promise<{ measurement: string; right: Right }> {
  const stem = file.name.replace(/\.[^.]+$/, '') || file.name;
  const input = { projectId, name: stem.slice(0, LONGEST_NAME), fileName: file.name.slice(0, LONGEST_NAME), bytes: file.size };
  const { data, error } = await client.value.mutation(ConsoleCreateMeasurementDocument, { input }).toPromise();
  if (error) throw new Failure(explained(error), true);
  const { measurement, upload: right, userErrors } = data!.createMeasurement;
  if (!measurement || !right) throw new Failure(userErrors.map(({ message }) => message).join(' '), false);
  return { measurement: measurement.id, right };
}

/** Have the server read the file: null, or why it refuses, such as that no file arrived. */
async function complete(id: string): Promise<string | null> {
  const { data, error } = await client.value.mutation(ConsoleCompleteMeasurementDocument, { id }).toPromise();
  if (error) throw new Failure(explained(error), true);
  return data!.completeMeasurement.userErrors.map(({ message }) => message).join(' ') || null;
}

async function finish({ id, file, created }: Transfer): Promise<void> {
  change(id, { stage: 'reading', sent: file.size });
  const { status, error, rows } = await read(created!.measurement, problem => change(id, { problem }));
  if (status === 'FAILED') throw new Failure(error ?? 'The file could not be read.', false);
  change(id, { stage: 'ready', rows: rows ?? null });
}

/** Send the bytes by XMLHttpRequest, which reports its progress. */
function send(transfer: Transfer, right: Right): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    transfer.request = request;
    // The address is relative to the server, of which this page may know a path prefix.
    request.open(right.method, new URL(right.url.replace(/^\//, ''), location.href));
    for (const [name, value] of Object.entries(right.headers as Record<string, string>)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => change(transfer.id, { sent: loaded });
    request.onload = () => (request.status < 300 ? resolve() : reject(refusal(request)));
    request.onerror = () => reject(new Failure('The connection broke, or the file changed.', true));
    request.onabort = () => reject(new Failure('Stopped.', false));
    request.onloadend = () => (transfer.request = null);
    request.send(transfer.file);
  });
}

/** The refusal of a file by the server, or by a proxy, which may be there again later. */
function refusal({ status, responseText }: XMLHttpRequest): Failure {
  const isExpired = status === 404;
  const canRetry = isExpired || status === 408 || status === 429 || status >= 500;
  try {
    const { detail } = JSON.parse(responseText) as { detail?: unknown };
    if (typeof detail === 'string') return new Failure(detail, canRetry, isExpired);
  } catch {
    // No JSON: a proxy answered.
  }
  return new Failure(`The upload was answered by ${status}.`, canRetry, isExpired);
}

type Read = NonNullable<ConsoleMeasurementStatusQuery['measurement']>;

/** Wait until the file is read. It asks instead of holding a stream: browsers open six connections to a server. */
async function read(id: string, tell: (problem: string | null) => void): Promise<Read> {
  for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 1.5, LONGEST_WAIT)) {
    await new Promise(done => setTimeout(done, wait));
    const by = client.value;
    const silence = setTimeout(() => tell(`The server has not answered for ${SILENT / 1000} seconds.`), SILENT);
    const { data, error } = await by.query(ConsoleMeasurementStatusDocument, { id }, { requestPolicy: 'network-only' }).toPromise();
    clearTimeout(silence);
    const isRefused = error !== undefined && isUnauthenticated(error);
    tell(error ? `${explained(error)} ${isRefused ? 'It goes on with the next key.' : 'Trying again.'}` : null);
    if (isRefused) await replaced(by);
    if (error) continue;
    if (!data?.measurement) throw new Failure('The measurement was deleted.', false);
    if (data.measurement.isTerminal) return data.measurement;
  }
}

/** Wait until another key gives another client. */
function replaced(old: typeof client.value): Promise<void> {
  return new Promise(done => {
    if (client.value !== old) return done();
    const end = client.listen(() => (end(), done()));
  });
}
