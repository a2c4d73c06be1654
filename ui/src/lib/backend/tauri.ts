// The desktop shell as a backend: the only file that knows Tauri.
import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { getCurrentWebview } from '@tauri-apps/api/webview';
import type {
  Backend,
  CompareStep,
  Comparison,
  FetchStep,
  SettingsView,
  Status,
  TuneStep,
} from '.';

export const tauriBackend: Backend = {
  status: () => invoke('status'),
  onStatus: (listener) => listen<Status>('status', (event) => listener(event.payload)),
  addFolders: (paths) => invoke('add_folders', { paths }),
  pickFolders: () => invoke('pick_folders'),
  forgetFolder: (path) => invoke('forget_folder', { path }),
  pauseFolder: (path, paused) => invoke('pause_folder', { path, paused }),
  readAgain: (path) => invoke('read_again', { path }),
  folderBytes: (path) => invoke('folder_bytes', { path }),
  revealData: () => invoke('reveal_data'),
  clearData: () => invoke('clear_data'),
  search: (query, limit) => invoke('search', { query, limit }),
  similar: (place, limit) => invoke('similar', { ...place, limit }),
  nearestSentences: (query, passages) => invoke('nearest_sentences', { query, passages }),
  preview: (place, before, after) => invoke('preview', { ...place, before, after }),
  questions: () => invoke('questions'),
  openFile: (path, question) => invoke('open_file', { path, question }),
  markGood: (question, path, good) => invoke('mark_good', { question, path, good }),
  clearMarks: () => invoke('clear_marks'),
  revealFile: (path) => invoke('reveal_file', { path }),
  files: (filter, after, limit) => invoke('files', { filter, after, limit }),
  retryFile: (id) => invoke('retry_file', { id }),
  retryFiles: (filter) => invoke('retry_files', { filter }),
  includeFile: (id) => invoke('include_file', { id }),
  healthHistory: () => invoke('health_history'),
  setMode: (mode) => invoke('set_mode', { mode }),
  settings: () => invoke('settings'),
  saveSettings: (settings) => invoke('save_settings', { settings }),
  tune: async (told) => {
    const stop = await listen<TuneStep>('tuning', (event) => told(event.payload));
    return invoke<SettingsView>('tune').finally(stop);
  },
  stopTuning: () => invoke('stop_tuning'),
  models: () => invoke('models'),
  useModel: (id) => invoke('use_model', { id }),
  importModel: () => invoke('import_model'),
  fetchModel: async (id, told) => {
    const stop = await listen<FetchStep>('fetching', (event) => told(event.payload));
    return invoke<void>('fetch_model', { id }).finally(stop);
  },
  stopFetching: () => invoke('stop_fetching'),
  removeModel: (id) => invoke('remove_model', { id }),
  compareModels: async (told) => {
    const stop = await listen<CompareStep>('comparing', (event) => told(event.payload));
    return invoke<Comparison | null>('compare_models').finally(stop);
  },
  stopComparing: () => invoke('stop_comparing'),
  onSummon: (listener) => listen('summon', () => listener()),
  onDrop: (listener) => getCurrentWebview().onDragDropEvent((event) => listener(event.payload)),
};
