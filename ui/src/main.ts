// Starts the window: finds the backend, mounts the app. Nothing else.
import { mount } from 'svelte';
import './styles/tokens.css';
import './styles/base.css';
import App from './App.svelte';
import { connect } from './lib/backend';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no element with the id "app"');
mount(App, { target, props: { backend: await connect() } });
