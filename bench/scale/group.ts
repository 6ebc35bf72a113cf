// The ranks of one case, started together and told when to take a step. They wait on a socket between their steps,
// not in MPI, which would keep the cores busy while others have their turn.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Candidate } from '../step-server.js';
import type { Case } from './cases.js';
import type { RankStep } from './rank.js';

const RANK = fileURLToPath(new URL('rank.ts', import.meta.url));
const MPIRUN = process.env.HYPERSPHERE_MPIRUN ?? 'mpirun';

/** What starts `ranks` processes of a node program. */
function commandOf(ranks: number, program: readonly string[]): [string, string[]] {
  const node = ['--import', 'tsx', ...program];
  if (ranks === 1) return [process.execPath, node];
  const launch = ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none', '-n', String(ranks)];
  return [MPIRUN, [...launch, process.execPath, ...node]];
}

export class RankGroup implements Candidate {
  readonly name: string;
  /** Seconds until all ranks were ready to take steps. */
  seconds = 0;
  /** What the ranks said of each step. */
  readonly steps: RankStep[][] = [];
  readonly #sockets: Socket[] = [];
  #waiting: { resolve(lines: unknown[]): void; reject(error: Error): void } | undefined;
  #answers: unknown[] = [];
  #ended: Error | undefined;
  #said = '';

  private constructor(
    readonly one: Case,
    private readonly child: ChildProcess,
    private readonly server: Server,
    private readonly folder: string,
  ) {
    this.name = JSON.stringify(one);
    server.on('connection', (socket) => {
      this.#sockets.push(socket);
      socket.on('error', () => {});
      createInterface({ input: socket }).on('line', (line) => this.#heard(JSON.parse(line)));
    });
    child.stderr!.on('data', (text) => {
      this.#said = (this.#said + text).slice(-2000);
    });
    child.on('error', (error) => this.#end(error));
    child.on('close', (code) => this.#end(new Error(this.#said.trim() || `ended with exit code ${code}`)));
  }

  /** Starts the ranks and waits until they are ready; rejects with what they wrote to standard error. */
  static async start(one: Case): Promise<RankGroup> {
    const folder = mkdtempSync(join(tmpdir(), 'hypersphere-scale-'));
    const server = createServer();
    const path = join(folder, 'ranks');
    server.listen(path);
    await once(server, 'listening');
    const [command, parameters] = commandOf(one.ranks, [RANK, path, JSON.stringify(one)]);
    // Ranks with a core each need not give way while they wait; Open MPI does when it is told to oversubscribe.
    const env =
      one.ranks > cpus().length ? process.env : { ...process.env, OMPI_MCA_mpi_yield_when_idle: '0' };
    const child = spawn(command, parameters, { stdio: ['ignore', 'inherit', 'pipe'], env });
    const group = new RankGroup(one, child, server, folder);
    const ready = (await group.#all()) as { seconds: number }[];
    group.seconds = Math.max(...ready.map(({ seconds }) => seconds));
    return group;
  }

  /** The milliseconds of the rank that took longest. */
  async step(): Promise<number> {
    const answers = this.#all();
    for (const socket of this.#sockets) socket.write('\n');
    const steps = (await answers) as RankStep[];
    const bad = steps.find(({ loss }) => !Number.isFinite(loss));
    if (bad) throw new Error(`${this.name}: the loss became ${bad.loss}`);
    this.steps.push(steps);
    return Math.max(...steps.map(({ milliseconds }) => milliseconds));
  }

  async close(): Promise<void> {
    const closed = this.#ended ? undefined : once(this.child, 'close');
    for (const socket of this.#sockets) socket.end();
    await closed;
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** One line of each rank. */
  #all(): Promise<unknown[]> {
    if (this.#ended) return Promise.reject(this.#ended);
    this.#answers = [];
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #heard(answer: unknown): void {
    this.#answers.push(answer);
    if (this.#answers.length === this.one.ranks) this.#waiting?.resolve(this.#answers);
  }

  #end(error: Error): void {
    this.#ended = error;
    this.#waiting?.reject(error);
  }
}
