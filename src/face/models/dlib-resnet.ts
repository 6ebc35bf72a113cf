// The recogniser that works out of the box: dlib's face recognition network of 29 convolutions (King, 2017), a
// residual network after He et al. (2016) with half the filters, and an embedding of 128 numbers.
// Its weights come from @vladmandic/face-api; the graph is ours, with each affine layer folded into its kernel.
import { cached } from '../../common/cache.js';
import {
  add,
  constant,
  conv2d,
  depthwiseConv2d,
  input,
  matmul,
  maxPool2d,
  mean,
  pad,
  parameter,
  relu,
  type Tensor,
} from '../../graph/index.js';
import { lowerInference } from '../../lower/index.js';
import { type FaceApiWeight, faceApiVersion, readFaceApiWeights } from './face-api-weights.js';
import { type Manifest, manifestMetadata, sha256 } from './manifest.js';

/** The name by which the network is asked for. */
export const DLIB_RESNET = 'dlib-resnet-128';

const SIZE = 150;
const LENGTH = 128;

/** What the network is and how a face is prepared for it. */
export const dlibResnetManifest: Manifest = {
  format: 'hypersphere-model/1',
  name: DLIB_RESNET,
  // dlib/dnn/input.h, input_rgb_image_sized<150>: (p - mean) / 256. (face-api divides by 255 in its place.)
  input: {
    name: 'images',
    width: SIZE,
    height: SIZE,
    order: 'rgb',
    mean: [122.782, 117.001, 104.298],
    scale: 1 / 256,
  },
  crop: 'cover-centre',
  template: 'dlib-150',
  flip: 'sum',
  embedding: { length: LENGTH, output: 'embedding' },
  metric: 'cosine',
  // As bench/thresholds prints them (its README tells how good they are); the embeddings are not centred, so that
  // even strangers have cosines about .8.
  thresholds: {
    on: '286 people of CelebA (in the wild), 17,961,890 pairs',
    points: [
      { fmr: 0.1, threshold: 0.8906 },
      { fmr: 0.01, threshold: 0.9188 },
      { fmr: 0.001, threshold: 0.9359 },
      { fmr: 0.0001, threshold: 0.9491 },
    ],
  },
  trainedOn:
    'about 3 million faces of 7,485 people from FaceScrub, VGG Face and the web, without people of LFW (https://github.com/davisking/dlib-models)',
  licence: 'weights: public domain (Davis King, dlib-models), as packed in @vladmandic/face-api (MIT)',
};

/** Blocks of two 3x3 convolutions in order; a block of stride 2 halves the image and may add channels. */
const BLOCKS: readonly { name: string; channels: number; stride: 1 | 2 }[] = [
  ...stage(32, 'conv32_1', 'conv32_2', 'conv32_3'),
  ...stage(64, 'conv64_down', 'conv64_1', 'conv64_2', 'conv64_3'),
  ...stage(128, 'conv128_down', 'conv128_1', 'conv128_2'),
  ...stage(256, 'conv256_down', 'conv256_1', 'conv256_2', 'conv256_down_out'),
];

function stage(channels: number, ...names: string[]) {
  return names.map((name) => ({ name, channels, stride: name.includes('_down') ? 2 : 1 }) as const);
}

/** The graph: images [1, 3, 150, 150], prepared as the manifest says, to embeddings [1, 128]. */
export function dlibResnet(): { images: Tensor; embedding: Tensor } {
  const images = input(dlibResnetManifest.input.name, [1, 3, SIZE, SIZE]);
  const first = relu(convolve(images, 'conv32_down', { channels: 32, kernel: 7, stride: 2, padding: 0 }));
  let x = maxPool2d(first, { kernel: 3, stride: 2 });
  for (const block of BLOCKS) x = residual(x, block);
  const embedding = matmul(mean(x, [2, 3]), parameter('fc', [x.shape[1]!, LENGTH]));
  return { images, embedding };
}

function convolve(
  x: Tensor,
  name: string,
  by: { channels: number; kernel: number; stride: number; padding: number },
): Tensor {
  const { channels, kernel } = by;
  const weights = parameter(`${name}.weight`, [channels, x.shape[1]!, kernel, kernel]);
  return add(conv2d(x, weights, by), parameter(`${name}.bias`, [channels, 1, 1]));
}

/**
 * relu(shortcut + convolutions). With stride 2 nothing is padded before the first convolution, the shortcut is the
 * mean of 2x2 pixels, and whichever of the two is smaller gets zeros behind its last row, column or channel.
 */
function residual(x: Tensor, { name, channels, stride }: (typeof BLOCKS)[number]): Tensor {
  const padding = stride === 1 ? 1 : 0;
  const inner = relu(convolve(x, `${name}/conv1`, { channels, kernel: 3, stride, padding }));
  const branch = convolve(inner, `${name}/conv2`, { channels, kernel: 3, stride: 1, padding: 1 });
  const shortcut = stride === 1 ? x : halve(x);
  const shape = branch.shape.map((n, axis) => Math.max(n, shortcut.shape[axis]!));
  return relu(add(grow(shortcut, shape), grow(branch, shape)));
}

function halve(x: Tensor): Tensor {
  const channels = x.shape[1]!;
  return depthwiseConv2d(x, constant(new Float32Array(4 * channels).fill(1 / 4), [channels, 1, 2, 2]), {
    stride: 2,
  });
}

function grow(x: Tensor, shape: readonly number[]): Tensor {
  const missing = shape.map((n, axis) => n - x.shape[axis]!);
  return missing.every((n) => n === 0)
    ? x
    : pad(
        x,
        missing.map(() => 0),
        missing,
      );
}

/** The graph's parameters from the package's weights: affine(conv(x) + b) becomes one kernel and one bias. */
export function dlibResnetWeights(
  weights: ReadonlyMap<string, FaceApiWeight> = readFaceApiWeights('face_recognition_model'),
): Map<string, Float32Array> {
  const take = (name: string): FaceApiWeight => {
    const found = weights.get(name);
    if (!found) throw new Error(`face_recognition_model has no weight '${name}'`);
    return found;
  };
  const layers = ['conv32_down', ...BLOCKS.flatMap(({ name }) => [`${name}/conv1`, `${name}/conv2`])];
  const folded = layers.flatMap((name) => {
    const scale = take(`${name}/scale/weights`).data;
    const shift = take(`${name}/scale/biases`).data;
    const bias = take(`${name}/conv/bias`).data;
    return [
      [`${name}.weight`, kernels(take(`${name}/conv/filters`), scale)],
      [`${name}.bias`, bias.map((b, k) => b * scale[k]! + shift[k]!)],
    ] as const;
  });
  return new Map([...folded, ['fc', take('fc').data]]);
}

/** Kernels [h, w, C, K] as [K, C, h, w], the k-th times scale[k]. */
function kernels({ shape, data }: FaceApiWeight, scale: Float32Array): Float32Array {
  const [h, w, c, k] = shape as [number, number, number, number];
  const area = h * w;
  const out = new Float32Array(data.length);
  for (let from = 0; from < data.length; from++) {
    const to = from % k;
    const channel = Math.floor(from / k) % c;
    const place = Math.floor(from / (k * c));
    out[(to * c + channel) * area + place] = data[from]! * scale[to]!;
  }
  return out;
}

/** The recogniser as an ONNX file's bytes with its manifest inside; built once, then taken from the cache. */
export function builtInRecogniser(): Uint8Array {
  const metadata = manifestMetadata(dlibResnetManifest);
  const stated = sha256(Buffer.from(JSON.stringify(metadata))).slice(0, 12);
  return cached(`${DLIB_RESNET}-${faceApiVersion()}-${stated}.onnx`, () => {
    const { images, embedding } = dlibResnet();
    return lowerInference({
      inputs: [images],
      outputs: { [dlibResnetManifest.embedding.output]: embedding },
      weights: dlibResnetWeights(),
      metadata,
    });
  });
}
