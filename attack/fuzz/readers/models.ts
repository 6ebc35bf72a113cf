// Models: what an ONNX file says, what is said beside it, what a calibration promises of it, and running it.
import { openEmbedder } from '../../../src/face/embed/open.js';
import { readCalibration } from '../../../src/face/models/calibration-file.js';
import { describeModel } from '../../../src/face/models/describe.js';
import { parseManifestJson, resolveManifest } from '../../../src/face/models/manifest.js';
import { decodeModel, encodeModel, readMetadata } from '../../../src/lower/onnx.js';
import { forCpu } from '../../../src/lower/rewrite/index.js';
import { type Files, ofBytes, ofFiles, ofText, type Reader } from '../reader.js';
import { asJson, tinyManifest, tinyModel } from '../samples.js';

const manifestText = JSON.stringify(tinyManifest);
const models = (): Uint8Array[] => [tinyModel(), tinyModel({ hypersphere: manifestText }), slopes()];

/** A model with a PReLU, which is written anew for the CPU. */
function slopes(): Uint8Array {
  const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
  return encodeModel({
    opset: 17,
    metadata: { hypersphere: manifestText },
    graph: {
      name: 'slopes',
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, 8, 8] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 4] }],
      initializers: [
        { name: 'w', dtype: 'float32', shape: [4, 3, 3, 3], data: numbers(108) },
        { name: 'slope', dtype: 'float32', shape: [4, 1, 1], data: numbers(4) },
      ],
      nodes: [
        {
          opType: 'Conv',
          inputs: ['x', 'w'],
          outputs: ['c'],
          attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
        },
        { opType: 'PRelu', inputs: ['c', 'slope'], outputs: ['p'] },
        { opType: 'ReduceMean', inputs: ['p'], outputs: ['y'], attributes: { axes: [2, 3], keepdims: 0 } },
      ],
    },
  });
}

function decoded(bytes: Uint8Array): void {
  readMetadata(bytes);
  decodeModel(bytes);
  forCpu(bytes);
}

/** A face through the model, as `embed` does it. */
async function embedOne(bytes: Uint8Array): Promise<void> {
  const embedder = await openEmbedder({ name: 'model.onnx', bytes }, { threads: 1, batch: 1 });
  try {
    const { height, width } = embedder.manifest.input;
    // A face this large would be the case's own cost, not the reader's.
    if (height * width > 2 ** 20) return;
    await embedder.embed([new Uint8Array(height * width * 3).fill(100)]);
  } finally {
    await embedder.close();
  }
}

const facts = { input: 'x', height: 8, width: 8, output: 'y', length: 4 };

const calibration = (): Files[] => [
  {
    'calibration.json': asJson({
      format: 'hypersphere-calibration/1',
      model: tinyManifest,
      data: { name: 'set', people: 20, images: 60, genuinePairs: 90, impostorPairs: 10_000, leftOut: 0 },
      ...{ replicates: 10, seed: 1 },
      probability: { slope: 20, intercept: -8, limits: [-3, 5], prior: 0.5 },
      impostors: {
        supportedTo: 1e-3,
        tail: { from: 0.4, share: 0.02, pairs: 200, shape: -0.1, scale: 0.03 },
        table: [
          { fmr: 0.5, threshold: 0.1, interval: [0, 0.2] },
          { fmr: 0.001, threshold: 0.4 },
        ],
      },
      thresholds: [
        {
          ...{ fmr: 0.01, gallerySize: 10, perComparison: 0.001, threshold: 0.4, extrapolated: false },
          ...{ falseMatches: 3, fnmr: 0.1 },
        },
      ],
    }),
  },
];

export const modelReaders: readonly Reader[] = [
  ofBytes('onnx', decoded, models),
  ofBytes('onnx-describe', (bytes) => describeModel({ name: 'model.onnx', bytes }), models, { share: 0.5 }),
  ofBytes('onnx-run', embedOne, () => models().slice(1), { share: 0.5 }),
  ofText('manifest', (text) => resolveManifest('model.onnx', facts, parseManifestJson(text, 'model.json')), [
    manifestText,
  ]),
  ofFiles('calibration', (folder) => readCalibration(`${folder}/calibration.json`), calibration),
];
