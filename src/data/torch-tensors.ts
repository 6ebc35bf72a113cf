// The tensors in what PyTorch has pickled. A tensor is a call of one of a few functions with a storage, an offset, a
// shape and strides; where it hangs (state_dict, whole module, TorchScript object) only decides its name.
import { countOf, denseNumbers, type ElementName, elementTypes } from './element-types.js';
import { pickledArray } from './numpy-array.js';
import {
  Persistent,
  type Pickled,
  PickledGlobal,
  PickledObject,
  pickledMap,
  pickledName,
  pickledNumber,
  pickledSizes,
} from './pickle-values.js';

/** A named tensor, whose numbers are converted when they are asked for. */
export interface StoredNumbers {
  shape: number[];
  /** As it is in the file, such as 'float16'. */
  dtype: string;
  /** Row-major, as float32. */
  numbers(): Float32Array;
}

/** Tensors, and what looked like one and cannot be read, with the reason. */
export interface FoundTensors {
  tensors: { path: string[]; tensor: StoredNumbers }[];
  unread: { path: string[]; reason: string }[];
}

/** Element types by the name of PyTorch's storage class. */
const STORAGES: Readonly<Record<string, ElementName>> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
};

/** The same by the name of a dtype, for storages without type, where it is another name than ours. */
const DTYPES: Readonly<Record<string, string>> = { half: 'float16', float: 'float32', double: 'float64' };

/** A block of numbers that tensors share. */
export class Storage extends Persistent {
  readonly kind = 'storage';

  /**
   * `type` is undefined for a storage without type or of one that is not read; `bytes` are asked for when the
   * pickle has been read, and undefined when the file lacks them.
   */
  constructor(
    readonly className: string,
    readonly key: string,
    /** In numbers; in bytes without type. */
    readonly size: number,
    /** Where this begins in what `key` names, in numbers. */
    readonly start: number,
    readonly source: { bytes(key: string): Uint8Array | undefined; littleEndian: boolean },
  ) {
    super();
  }

  get type(): ElementName | undefined {
    return Object.hasOwn(STORAGES, this.className) ? STORAGES[this.className] : undefined;
  }
}

/** A persistent identifier that names no storage. */
export class OtherPersistent extends Persistent {
  readonly kind = 'other';
}

/** The storage that a persistent identifier of PyTorch names: ('storage', class, key, location, size[, view]). */
export function storageOf(id: Pickled, source: Storage['source']): Persistent {
  if (!Array.isArray(id) || id[0] !== 'storage') return new OtherPersistent();
  const [, type, key, , size, view] = id;
  const className = type instanceof PickledGlobal ? type.name.split('.').at(-1)! : pickledName(type);
  const [, start = 0] = Array.isArray(view) ? view : [];
  return new Storage(className, pickledName(key), pickledNumber(size), pickledNumber(start), source);
}

type Builder = (args: readonly Pickled[]) => StoredNumbers | string;

/** The functions that make a tensor of a storage. */
const views: Readonly<Record<string, Builder>> = {
  'torch._utils._rebuild_tensor': (args) => view(args),
  'torch._utils._rebuild_tensor_v2': (args) => view(args),
  'torch._utils._rebuild_tensor_v3': (args) => view(args, args[6]),
};

/** Those that put something around such a tensor, with what is inside. */
const wrapped: Readonly<Record<string, Builder>> = {
  'torch._utils._rebuild_parameter': ([tensor]) => inside(tensor),
  'torch._utils._rebuild_parameter_with_state': ([tensor]) => inside(tensor),
  'torch._tensor._rebuild_from_type_v2': ([make, , args]) =>
    inside(make instanceof PickledGlobal && Array.isArray(args) ? new PickledObject(make.name, args) : null),
};

function inside(value: Pickled | undefined): StoredNumbers | string {
  const build = value instanceof PickledObject && Object.hasOwn(views, value.global) && views[value.global];
  return build ? build((value as PickledObject).args) : 'is of a kind that is not read';
}

/** A view of a storage; a sentence's end when it cannot be read. */
function view(
  [storage, offset, shape, strides]: readonly Pickled[],
  dtype?: Pickled,
): StoredNumbers | string {
  if (!(storage instanceof Storage)) return 'has no storage in this file (save it with torch.save)';
  const named = dtype instanceof PickledGlobal ? dtype.name.replace(/^torch\./, '') : undefined;
  const type = named === undefined ? storage.type : (DTYPES[named] ?? named);
  if (type === undefined || !Object.hasOwn(elementTypes, type)) {
    return `holds values of type ${named ?? storage.className}, which is not read`;
  }
  const sizes = pickledSizes(shape);
  const steps = pickledSizes(strides);
  const bytes = storage.source.bytes(storage.key);
  const start = pickledNumber(offset) + storage.start;
  if (!sizes || steps?.length !== sizes.length || !Number.isSafeInteger(start) || start < 0) {
    return 'is not described properly';
  }
  if (!bytes) return `has its numbers in storage ${storage.key}, which the file lacks`;
  const block = {
    ...{ bytes, type: type as ElementName, littleEndian: storage.source.littleEndian },
    ...{ offset: start, shape: sizes, strides: steps },
  };
  if (countOf(block) === undefined) {
    return `reaches beyond its storage of ${bytes.length} bytes (shape [${sizes}])`;
  }
  return { shape: sizes, dtype: type, numbers: () => denseNumbers(block) };
}

/** The tensor that a value is, or why it cannot be read; undefined for what is none. */
function tensorOf(value: Pickled): StoredNumbers | string | undefined {
  if (!(value instanceof PickledObject)) return undefined;
  if (/^numpy\..*\._(reconstruct|frombuffer)$/.test(value.global)) {
    const array = pickledArray(value);
    return typeof array === 'string'
      ? array
      : { shape: array.shape, dtype: 'numpy', numbers: () => array.data };
  }
  const builders = { ...views, ...wrapped };
  if (Object.hasOwn(builders, value.global)) return builders[value.global]!(value.args);
  // Quantised, sparse and other tensors.
  return /^torch\._utils\._rebuild_\w*tensor/.test(value.global)
    ? `was made by ${value.global}, which is not read`
    : undefined;
}

/** The dictionaries of a module between it and its tensors or submodules; they have no part in names. */
const UNNAMED = new Set(['_parameters', '_buffers', '_modules']);
/** Deepest nesting that is searched: a module in a module in a module... */
const DEEPEST = 200;

/** All tensors in `value`, in order, with their paths. Each container is searched once. */
export function findTensors(value: Pickled): FoundTensors {
  const found: FoundTensors = { tensors: [], unread: [] };
  const seen = new Set<Pickled>();
  const search = (node: Pickled, path: string[], depth: number): void => {
    const tensor = tensorOf(node);
    if (typeof tensor === 'string') found.unread.push({ path, reason: tensor });
    else if (tensor) found.tensors.push({ path, tensor });
    if (tensor || seen.has(node) || depth > DEEPEST) return;
    seen.add(node);
    for (const [key, inner] of partsOf(node)) {
      search(inner, UNNAMED.has(key) ? path : [...path, key], depth + 1);
    }
  };
  search(value, [], 0);
  return found;
}

/** The parts of a dictionary, list or object, by key. */
function partsOf(node: Pickled): [key: string, value: Pickled][] {
  if (Array.isArray(node)) return node.map((item, i) => [String(i), item]);
  const map = pickledMap(node) ?? (node instanceof PickledObject ? pickledMap(node.state) : undefined);
  return map ? Array.from(map, ([key, value]) => [pickledName(key), value]) : [];
}
