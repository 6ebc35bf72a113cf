// Writes PyTorch checkpoints byte by byte (a zip archive of a pickle of protocol 2 and one file a storage), as
// torch.save does for a state_dict of contiguous float32 tensors, so that whole networks need not be kept as fixtures.
import { zipSync } from 'fflate';

export interface WrittenTensor {
  shape: readonly number[];
  data: Float32Array;
}

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');

function whole(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write('J', 'latin1');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

function text(value: string): Buffer {
  const utf8 = Buffer.from(value, 'utf8');
  const head = Buffer.alloc(5);
  head.write('X', 'latin1');
  head.writeUInt32LE(utf8.length, 1);
  return Buffer.concat([head, utf8]);
}

const tuple = (items: readonly Buffer[]): Buffer => Buffer.concat([latin('('), ...items, latin('t')]);

function tensor({ shape, data }: WrittenTensor, key: string): Buffer {
  const id = tuple([
    text('storage'),
    latin('ctorch\nFloatStorage\n'),
    text(key),
    text('cpu'),
    whole(data.length),
  ]);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1));
  const args = tuple([
    Buffer.concat([id, latin('Q')]),
    whole(0),
    tuple(shape.map(whole)),
    tuple(strides.map(whole)),
    latin('\x89'),
    latin('ccollections\nOrderedDict\n)R'),
  ]);
  return Buffer.concat([latin('ctorch._utils\n_rebuild_tensor_v2\n'), args, latin('R')]);
}

/** The bytes of a checkpoint; with `under`, of a dictionary that holds an epoch and the state_dict by that key. */
export function torchCheckpoint(tensors: ReadonlyMap<string, WrittenTensor>, under?: string): Uint8Array {
  const entries = Array.from(tensors, ([name, value], i) => [text(name), tensor(value, String(i))]).flat();
  const state = Buffer.concat([latin('ccollections\nOrderedDict\n)R('), ...entries, latin('u')]);
  const object = under
    ? Buffer.concat([latin('}('), text('epoch'), whole(1), text(under), state, latin('u')])
    : state;
  const files: Record<string, Uint8Array> = {
    'net/data.pkl': Buffer.concat([latin('\x80\x02'), object, latin('.')]),
    'net/byteorder': latin('little'),
  };
  [...tensors.values()].forEach(({ data }, i) => {
    files[`net/data/${i}`] = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
  // The same time of change always, so that the same tensors give the same bytes.
  return zipSync(files, { level: 0, mtime: new Date(2020, 0, 1) });
}
