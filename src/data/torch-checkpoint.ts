// PyTorch checkpoints (.pth, .pt, .ckpt) without PyTorch: a zip archive of one pickle and its storages (since 1.6),
// or pickles in a row followed by the storages (before), after torch/serialization.py. Nothing in them is executed.
import { unzipSync } from 'fflate';
import { UserError } from '../common/errors.js';
import { elementTypes } from './element-types.js';
import { readPickle } from './pickle.js';
import { type Pickled, pickledMap, pickledName } from './pickle-values.js';
import { findTensors, Storage, type StoredNumbers, storageOf } from './torch-tensors.js';

/** What a checkpoint holds of a network. */
export interface TorchCheckpoint {
  /** How it was saved. */
  format: 'zip' | 'legacy' | 'TorchScript' | 'pickle';
  /** The network's tensors by name, in the file's order. */
  tensors: Map<string, StoredNumbers>;
  /** Under which keys the network lay, as in ['state_dict']; empty when the file holds nothing else. */
  under: string[];
  /** What lay beside the network (an epoch, an optimiser), by its key. */
  aside: string[];
}

/** Keys under which networks are kept, best first. */
const WRAPPERS = [
  ...['state_dict', 'model_state_dict', 'model_state', 'model', 'net_state_dict', 'net', 'network'],
  ...['backbone', 'weights', 'params', 'student', 'teacher'],
];
/** Keys whose tensors belong to the training, not to the network. */
const TRAINING = /^(optim|scheduler|lr_sched|scaler|amp|rng|criterion|loss)/i;
/** The first object of the older format, as a pickle of protocol 2. */
const LEGACY = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
const ZIP = [0x50, 0x4b];
/** Deflate cannot do better than this; an archive that claims more is no archive. */
const BEST_RATIO = 1032;
/**
 * Bytes that an archive may unpack to: torch.save does not compress, and weights that something else compressed do not
 * shrink much. Small files may be anything.
 */
const MOST_UNPACKED = (packed: number): number => Math.min(2 ** 32, Math.max(2 ** 26, 16 * packed));
/** Bytes of a file's entry in an archive's directory, without its name. */
const SMALLEST_ENTRY = 46;

const begins = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, i) => bytes[i] === byte);

/**
 * Reads a checkpoint's bytes: a state_dict, also nested in other dictionaries, a whole pickled module, a TorchScript
 * archive, or a pickled dictionary of NumPy arrays. Throws a `UserError` that starts with `source` (the file's path)
 * when the file is cut off, damaged, or holds no tensors.
 */
export function readTorchCheckpoint(bytes: Uint8Array, source: string): TorchCheckpoint {
  const zipped = begins(bytes, ZIP);
  if (!zipped && bytes[0] !== 0x80) {
    throw new UserError(`${source}: no PyTorch checkpoint: neither a zip archive nor a pickle`);
  }
  const { value, format } = zipped
    ? readArchive(bytes, source)
    : begins(bytes, LEGACY)
      ? readLegacy(bytes, source)
      : {
          value: readPickle(bytes, source, { persistent: (id) => storageOf(id, nowhere) }).value,
          format: 'pickle' as const,
        };
  const { tensors, unread } = findTensors(value);
  const network = choose([...tensors, ...unread]);
  for (const leaf of network.leaves) {
    if ('reason' in leaf) throw new UserError(`${source}: tensor '${leaf.path.join('.')}' ${leaf.reason}`);
  }
  if (network.leaves.length === 0) {
    throw new UserError(`${source}: holds no tensors; save the network's state_dict() with torch.save`);
  }
  const strip = network.under.length;
  const aside = asideOf(value, network.under);
  return {
    format,
    under: network.under,
    aside,
    tensors: new Map(
      network.leaves.flatMap((leaf) =>
        'tensor' in leaf ? [[leaf.path.slice(strip).join('.'), leaf.tensor] as const] : [],
      ),
    ),
  };
}

const nowhere: Storage['source'] = { bytes: () => undefined, littleEndian: true };

type Leaf = { path: string[]; tensor: StoredNumbers } | { path: string[]; reason: string };

/** The tensors of the network among all of a file, and the keys that they share. */
function choose(all: readonly Leaf[]): { leaves: readonly Leaf[]; under: string[] } {
  const under: string[] = [];
  let leaves = all;
  for (;;) {
    const depth = under.length;
    const keys = new Set(leaves.map(({ path }) => path[depth] ?? ''));
    const network = [...keys].filter((key) => !TRAINING.test(key));
    // Tensors at this level: this is the dictionary.
    if (leaves.some(({ path }) => path.length <= depth + 1)) return { leaves, under };
    const wrapper =
      WRAPPERS.find((name) => keys.has(name)) ?? (network.length === 1 ? network[0] : undefined);
    if (wrapper === undefined) {
      return { leaves: leaves.filter(({ path }) => network.includes(path[depth]!)), under };
    }
    leaves = leaves.filter(({ path }) => path[depth] === wrapper);
    under.push(wrapper);
  }
}

/** The keys beside the network's on the way to it. */
function asideOf(value: Pickled, under: readonly string[]): string[] {
  const aside: string[] = [];
  let node = pickledMap(value);
  for (const key of under) {
    aside.push(...Array.from(node?.keys() ?? [], pickledName).filter((other) => other !== key));
    node = pickledMap(node?.get(key));
  }
  return aside;
}

const tooMuch = (source: string, most: number): string =>
  `${source}: its zip archive unpacks to more than ${Math.floor(most / 2 ** 20)} MiB; load it in PyTorch and save the network's state_dict() with torch.save, which does not compress`;

/** The value of a zip archive's data.pkl, its storages the archive's files data/KEY. */
function readArchive(bytes: Uint8Array, source: string): { value: Pickled; format: 'zip' | 'TorchScript' } {
  let files: Record<string, Uint8Array>;
  const names: string[] = [];
  let packed = 0;
  let unpacked = 0;
  const most = MOST_UNPACKED(bytes.length);
  try {
    files = unzipSync(bytes, {
      filter: ({ name, size, originalSize }) => {
        names.push(name);
        if (names.length > bytes.length / SMALLEST_ENTRY)
          throw new Error('its directory announces too many files');
        packed += size;
        if (packed > bytes.length) throw new Error('its files overlap');
        if (originalSize > BEST_RATIO * size + 64) throw new Error(`the size of ${name} cannot be right`);
        const needed = /(^|\/)(data\.pkl|byteorder|data\/[^/]+)$/.test(name);
        if (needed) unpacked += originalSize;
        if (unpacked > most) throw new UserError(tooMuch(source, most), { code: 'limit' });
        return needed;
      },
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `${source}: its zip archive cannot be read (${(error as Error).message}); the file is cut off or damaged`,
    );
  }
  const pickle = names.find((name) => /(^|\/)data\.pkl$/.test(name));
  if (pickle === undefined) {
    throw new UserError(
      names.some((name) => name.endsWith('model.json'))
        ? `${source}: a TorchScript archive of before PyTorch 1.4; save the network's state_dict() with torch.save`
        : `${source}: a zip archive, but no PyTorch checkpoint (it holds ${names.slice(0, 3).join(', ') || 'nothing'})`,
    );
  }
  const folder = pickle.slice(0, -'data.pkl'.length);
  const order = files[`${folder}byteorder`];
  const storages = {
    bytes: (key: string) => files[`${folder}data/${key}`],
    littleEndian: !order || Buffer.from(order).toString('latin1').trim() !== 'big',
  };
  const { value } = readPickle(files[pickle]!, source, { persistent: (id) => storageOf(id, storages) });
  return { value, format: names.includes(`${folder}constants.pkl`) ? 'TorchScript' : 'zip' };
}

/** The value of the older format: magic number, version, facts of the system, the object, keys; then the storages. */
function readLegacy(bytes: Uint8Array, source: string): { value: Pickled; format: 'legacy' } {
  const fail = (problem: string): never => {
    throw new UserError(`${source}: ${problem}; the file is cut off or damaged`);
  };
  const blocks = new Map<string, Uint8Array>();
  const storages = { bytes: (key: string) => blocks.get(key), littleEndian: true };
  const sizes = new Map<string, number>();
  const persistent = (id: Pickled) => {
    const storage = storageOf(id, storages);
    if (storage instanceof Storage)
      sizes.set(storage.key, storage.type ? elementTypes[storage.type].bytes : 1);
    return storage;
  };
  let start = 0;
  const next = (): Pickled => {
    const { value, end } = readPickle(bytes, source, { start, persistent });
    start = end;
    return value;
  };
  // Magic number, version, facts.
  for (let i = 0; i < 3; i++) next();
  const value = next();
  const keys = next();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of Array.isArray(keys) ? keys : fail('its list of storages is no list')) {
    if (start + 8 > bytes.length) fail('its storages are cut off');
    const count = Number(view.getBigInt64(start, true));
    const length =
      count * (sizes.get(pickledName(key)) ?? fail(`storage ${pickledName(key)} is of no known type`));
    start += 8;
    if (count < 0 || start + length > bytes.length) fail('its storages are cut off');
    blocks.set(pickledName(key), bytes.subarray(start, start + length));
    start += length;
  }
  return { value, format: 'legacy' };
}
