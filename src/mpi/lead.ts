// Work that one rank leads: it asks, every rank does its part, and it has the parts. The others know kinds of work by
// name and nothing of what they are for. Between two questions they rest, so long work of the leader alone costs them
// nothing.
import { UserError } from '../common/errors.js';
import type { Communicator } from './communicator.js';

/** What a rank has done: plain data (JSON), and numbers. */
export interface Part<Told = unknown> {
  told: Told;
  numbers: Float32Array;
}

/** A kind of work: what was asked, as plain data and bytes, to this rank's part. */
export type Work = (asked: unknown, bytes: Uint8Array, rank: number) => Promise<Part>;

interface Question {
  /** Undefined ends the work. */
  work?: string;
  asked?: unknown;
  /** How many bytes follow. */
  bytes: number;
}

type Outcome =
  | { told: unknown; numbers: number }
  | { failure: { message: string; stack: string | undefined; ofUser: boolean } };

const encoded = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Rank 0 of a run. */
export class Leader {
  /** Questions follow each other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly communicator: Communicator) {}

  /** Number of ranks, this one among them. */
  get size(): number {
    return this.communicator.size;
  }

  /**
   * Has `work` done on all ranks, `here` being this one's part. Returns the parts by rank; throws the error of the
   * lowest rank that failed, when all have done.
   */
  ask<Told>(
    work: string,
    asked: unknown,
    here: () => Promise<Part<Told>>,
    bytes: Uint8Array = new Uint8Array(0),
  ): Promise<Part<Told>[]> {
    const parts = this.#last.then(async () => {
      await say(this.communicator, { work, asked, bytes: bytes.length }, bytes);
      return gather(this.communicator, here);
    });
    this.#last = parts.catch(() => undefined);
    return parts as Promise<Part<Told>[]>;
  }

  /** Lets the other ranks go. */
  async end(): Promise<void> {
    await this.#last;
    await say(this.communicator, { bytes: 0 }, new Uint8Array(0));
  }
}

/** What every other rank does, until the leader ends it: the work that it asks for. */
export async function follow(communicator: Communicator, works: Record<string, Work>): Promise<void> {
  for (;;) {
    await communicator.rest();
    const length = new Float64Array(1);
    await communicator.broadcast(length, 0);
    const text = new Uint8Array(length[0]!);
    await communicator.broadcast(text, 0);
    const { work, asked, ...question } = JSON.parse(Buffer.from(text).toString()) as Question;
    if (work === undefined) return;
    const bytes = new Uint8Array(question.bytes);
    if (bytes.length > 0) await communicator.broadcast(bytes, 0);
    await gather(communicator, () => works[work]!(asked, bytes, communicator.rank)).catch(() => {
      // The leader says what is wrong, and what becomes of it.
    });
  }
}

async function say(communicator: Communicator, question: Question, bytes: Uint8Array): Promise<void> {
  const text = encoded(question);
  await communicator.rest();
  await communicator.broadcast(Float64Array.of(text.length), 0);
  await communicator.broadcast(text, 0);
  if (bytes.length > 0) await communicator.broadcast(bytes, 0);
}

/** The parts of all ranks, on all of them. */
async function gather(communicator: Communicator, own: () => Promise<Part>): Promise<Part[]> {
  let numbers: Float32Array = new Float32Array(0);
  let outcome: Outcome;
  try {
    const part = await own();
    numbers = part.numbers;
    outcome = { told: part.told, numbers: numbers.length };
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    outcome = { failure: { message, stack, ofUser: error instanceof UserError } };
  }
  await communicator.rest();
  // JSON has no line breaks of its own.
  const text = await communicator.allGather(new TextEncoder().encode(`${JSON.stringify(outcome)}\n`));
  const lines = Buffer.from(text).toString().trimEnd().split('\n');
  const outcomes = lines.map((line) => JSON.parse(line) as Outcome);
  for (const found of outcomes) {
    if (!('failure' in found)) continue;
    const { message, stack, ofUser } = found.failure;
    throw ofUser ? new UserError(message) : Object.assign(new Error(message), { stack });
  }
  const all = await communicator.allGather(numbers);
  let at = 0;
  return (outcomes as Extract<Outcome, { told: unknown }>[]).map(({ told, numbers: count }) => {
    at += count;
    return { told, numbers: all.subarray(at - count, at) };
  });
}
