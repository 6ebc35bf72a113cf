// Faces: model files, their manifests, and embeddings of aligned faces.
export { type BothFeatures, Embedder, type EmbedHooks, type FaceImages } from './embed/embedder.js';
export {
  checkEmbeddingsFile,
  checkEmbeddingsPlace,
  embedFolder,
  type FolderEmbeddings,
  type FolderImage,
  listFaces,
  writeEmbeddings,
} from './embed/folder.js';
export { type EmbedderOptions, type ModelBytes, openEmbedder } from './embed/open.js';
export { readEmbeddings, type StoredEmbeddings } from './embed/read.js';
export { builtInModels, DEFAULT_MODEL } from './models/built-in.js';
export { describeModel, type ModelDescription, type ModelLayer } from './models/describe.js';
export { builtInRecogniser, dlibResnetManifest } from './models/dlib-resnet.js';
export {
  MANIFEST_KEY,
  type Manifest,
  type ManifestOverrides,
  manifestBeside,
  manifestMetadata,
  manifestSchema,
  resolveManifest,
  sha256,
} from './models/manifest.js';
