import { parseExact } from './numbers.js';

/**
 * A subscription as GraphiQL takes it: an observable, over server-sent events. To unsubscribe ends it on the server too.
 * A refusal, which comes without events, is read by `answered` and is the only result.
 */
export const subscription = (url, request, answered) => ({
  subscribe(observer) {
    const stop = new AbortController();
    follow(url, { ...request, signal: stop.signal }, answered, result => observer.next(result)).then(
      () => observer.complete(),
      problem => stop.signal.aborted || observer.error(problem),
    );
    return { unsubscribe: () => stop.abort() };
  },
});

/** Hands on every result, until the server says that there are no more. */
async function follow(url, request, answered, next) {
  const response = await fetch(url, request);
  if (!response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
    next(await answered(response));
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('The server ended the subscription.');
    const events = (text + value).split('\n\n');
    text = events.pop();
    for (const event of events) {
      if (event.startsWith('event: complete')) return;
      const [, data] = /^data: (.*)$/m.exec(event) ?? []; // without data it is a comment
      if (data) next(parseExact(data));
    }
  }
}
