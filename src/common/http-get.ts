// One GET request whose answer is bounded in time: redirects are followed by rules, packed answers are refused, and a
// server that is silent or too slow ends the request. Every failure is a UserError of one line.
import { UserError } from './errors.js';

/** How long a server may take. */
export interface Patience {
  /** Milliseconds from a request to the head of its answer, for the address and for each redirect. */
  readonly answer: number;
  /** Milliseconds without a byte of the body. */
  readonly silence: number;
  /** At least `bytes` of the body have to come in every `milliseconds`. */
  readonly pace: { readonly bytes: number; readonly milliseconds: number };
}

export const patient: Patience = {
  answer: 30_000,
  silence: 30_000,
  pace: { bytes: 60_000, milliseconds: 60_000 },
};

export interface GetOptions {
  headers: Readonly<Record<string, string>>;
  /** Whether plain http is good enough, as what comes is checked, or the user accepts the risk. */
  allowHttp: boolean;
  patience: Patience;
  signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The bytes as they come; to be read once. Throws a UserError when the server is too slow. */
  pieces(): AsyncGenerator<Uint8Array>;
  /** Ends the connection without reading on. */
  discard(): Promise<void>;
}

const MOST_REDIRECTS = 5;

/** Asks for `url`, through redirects. Throws a UserError when the rules refuse it or no answer comes. */
export async function get(url: string, options: GetOptions): Promise<Answer> {
  if (!URL.canParse(url) || !isWeb(new URL(url)))
    throw new UserError(`${url}: not an address that begins with http:// or https://`, { code: 'usage' });
  let address = new URL(url);
  requireSafe(address, options.allowHttp);
  for (let hops = 0; ; hops++) {
    const { response, controller } = await ask(address, options);
    const location = response.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null)
      return answerOf(address, response, controller, options.patience);
    await response.body?.cancel();
    if (hops === MOST_REDIRECTS)
      throw network(`${url}: redirects more than ${MOST_REDIRECTS} times; check the address`);
    address = redirected(address, location, options.allowHttp);
  }
}

const network = (message: string, cause?: unknown) => new UserError(message, { code: 'network', cause });

const isWeb = ({ protocol }: URL) => protocol === 'http:' || protocol === 'https:';

/** Hosts whose traffic never leaves the machine. */
const isLoopback = ({ hostname }: URL) =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);

function requireSafe(address: URL, allowHttp: boolean): void {
  if (address.protocol === 'https:' || allowHttp || isLoopback(address)) return;
  throw new UserError(
    `${address}: plain http can be changed on its way, and no SHA-256 is given to check what comes; ` +
      'use https, or give --sha256, or --allow-http to fetch it all the same',
    { code: 'usage' },
  );
}

function redirected(from: URL, location: string, allowHttp: boolean): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (!to || !isWeb(to))
    throw network(`${from}: redirects to something that is not a web address; check the address`);
  if (from.protocol === 'https:' && to.protocol === 'http:')
    throw network(
      `${from}: redirects from https to plain http (${to}), which is refused; give an https address`,
    );
  requireSafe(to, allowHttp);
  return to;
}

async function ask(address: URL, { headers, patience, signal }: GetOptions) {
  const controller = new AbortController();
  const seconds = patience.answer / 1000;
  const clock = setTimeout(() => {
    controller.abort(network(`${address.host}: no answer within ${seconds} s; try again later (${address})`));
  }, patience.answer);
  try {
    const response = await fetch(address, {
      // A packed answer would hide how much is unpacked.
      headers: { ...headers, 'accept-encoding': 'identity' },
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    });
    return { response, controller };
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (signal?.aborted) throw new UserError(`${address}: stopped before anything came`, stopped);
    throw network(
      `${address.host}: cannot be reached (${codeOf(error)}); check the connection and the address ${address}`,
      error,
    );
  } finally {
    clearTimeout(clock);
  }
}

/** The user's wish to stop, as an error. */
export const stopped = { code: 'interrupted' } as const;

async function answerOf(
  address: URL,
  response: Response,
  controller: AbortController,
  patience: Patience,
): Promise<Answer> {
  const { status, headers, body } = response;
  const discard = async () => {
    await body?.cancel().catch(() => {});
    controller.abort();
  };
  const packed = headers.get('content-encoding') ?? 'identity';
  if (packed.toLowerCase() !== 'identity') {
    await discard();
    throw network(
      `${address}: the server packs the file (content-encoding: ${packed}) although that was declined; give another address`,
    );
  }
  return { status, headers, discard, pieces: () => pieces(address, body, controller, patience) };
}

async function* pieces(
  { host }: URL,
  body: ReadableStream<Uint8Array> | null,
  controller: AbortController,
  { silence, pace }: Patience,
): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const reader = body.getReader();
  let begin = performance.now();
  let came = 0;
  try {
    for (;;) {
      const clock = setTimeout(() => {
        controller.abort(network(`${host}: nothing came for ${silence / 1000} s`));
      }, silence);
      const { done, value } = await reader.read().finally(() => clearTimeout(clock));
      if (done) return;
      came += value.length;
      yield value;
      if (performance.now() - begin < pace.milliseconds) continue;
      if (came < pace.bytes)
        throw network(`${host}: sends less than ${pace.bytes} bytes in ${pace.milliseconds / 1000} s`);
      begin = performance.now();
      came = 0;
    }
  } finally {
    await reader.cancel().catch(() => {});
    controller.abort();
  }
}

/** The system's code of an error, or of what caused it. */
export function codeOf(error: unknown): string {
  const { code, cause, message } = error as NodeJS.ErrnoException & { cause?: unknown };
  if (typeof code === 'string') return code;
  if (cause) return codeOf(cause);
  return message;
}
