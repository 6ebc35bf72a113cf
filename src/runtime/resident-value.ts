// One of the runtime's own tensors, through the C interface.
import { type Address, type CInterface, written } from './c-interface.js';
import type { Value } from './engine.js';

/** Codes of the types a step can hold (ONNXTensorElementDataType), and how their elements lie in memory. */
const TYPES = {
  float32: [1, Float32Array],
  uint8: [2, Uint8Array],
  int32: [6, Int32Array],
  int64: [7, BigInt64Array],
  bool: [9, Uint8Array],
  float64: [11, Float64Array],
} as const;
export type TypeName = keyof typeof TYPES;

/** One of the runtime's own tensors. */
export class ResidentValue implements Value {
  readonly type: TypeName;
  readonly dims: readonly number[];

  constructor(
    readonly address: Address,
    private readonly c: CInterface,
    readonly location: 'cpu' | 'gpu-buffer' = 'cpu',
  ) {
    const about = written((result) => c.call.typeAndShape(address, result));
    const number = new BigInt64Array(1);
    c.call.elementType(about, number);
    const code = Number(number[0]! & 0xffffn);
    c.call.dimensionCount(about, number);
    const dims = new BigInt64Array(Number(number[0]!));
    if (dims.length > 0) c.call.dimensions(about, dims, dims.length);
    c.release.typeAndShape(about);
    const type = Object.entries(TYPES).find(([, [known]]) => known === code)?.[0];
    if (!type) throw new Error(`a value of type ${code} cannot be read`);
    this.type = type as TypeName;
    this.dims = Array.from(dims, Number);
  }

  static of(type: TypeName, dims: readonly number[], c: CInterface): ResidentValue {
    const shape = BigInt64Array.from(dims, BigInt);
    return new ResidentValue(
      written((result) => c.call.createTensor(c.allocator, shape, shape.length, TYPES[type][0], result)),
      c,
    );
  }

  /** Its memory. */
  get #elements() {
    const [, Elements] = TYPES[this.type];
    const count = this.dims.reduce((a, b) => a * b, 1);
    if (count === 0) return new Elements(0);
    const address = written((result) => this.c.call.tensorData(this.address, result));
    return new Elements(this.c.memory(address, count * Elements.BYTES_PER_ELEMENT));
  }

  get view() {
    return this.#elements;
  }

  /** A copy, which outlives the tensor. */
  get data() {
    return this.#elements.slice();
  }

  write(data: ArrayLike<number> | ArrayLike<bigint>): void {
    (this.#elements as { set(data: unknown): void }).set(data);
  }

  dispose(): void {
    this.c.release.value(this.address);
  }
}
