/** The fixture upstream's tools by what the tenant says of them. */

/** Judged and run at once. */
const free = [
  'test_simple_text',
  'test_image_content',
  'test_audio_content',
  'test_embedded_resource',
  'test_multiple_content_types',
  'test_tool_with_logging',
  'test_logging_tool',
  'test_error_handling',
  'test_tool_with_progress',
  'json_schema_2020_12_tool',
  'test_sampling',
  'test_elicitation',
  'test_elicitation_sep1034_defaults',
  'test_elicitation_sep1330_enums',
  'test_streaming_elicitation',
  'test_missing_capability',
  'test_input_required_result_elicitation',
  'test_input_required_result_sampling',
  'test_input_required_result_list_roots',
  'test_input_required_result_request_state',
  'test_input_required_result_multiple_inputs',
  'test_input_required_result_multi_round',
  'test_input_required_result_tampered_state',
  'test_input_required_result_capabilities',
  'greet',
  // Takes a second, and is a task for that.
  'failing_job',
] as const;

/** A person has to approve each call: where the client declares tasks, that is a task. */
export const approved = ['slow_compute', 'protocol_error_job', 'confirm_delete', 'multi_input', 'test_tool_with_task'] as const;

export const suiteTools: readonly string[] = [...free, ...approved];
