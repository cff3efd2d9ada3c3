//! Reads the project's own `template.yaml`, so that there is no second definition of the stack.
//!
//! Pure: text and parameters in, [`StackPlan`] out. What the reader does not know — a section, an intrinsic
//! function, a resource type, a property — is an error that names its path, never a guess and never skipped.
//! What it knows to be without a local meaning is listed, with the reason, in [`StackPlan::passed_over`].
//! Not a validator of templates: what `cfn-lint` sees is left to it.

mod buckets;
mod circles;
mod elsewhere;
mod error;
mod node;
mod parameters;
mod plan;
mod properties;
mod resources;
mod scope;
mod streams;
#[cfg(test)]
mod tests;
mod text;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;

pub use error::TemplateError;
pub use plan::{
    BucketPlan, FunctionPlan, KeyAttribute, KeyPlan, MappingPlan, QueuePlan, Redrive, RolePlan, StackPlan,
    StreamPlan, TablePlan,
};
pub use text::{Attribute, Text};

use circles::References;
use node::{Node, below};
use properties::Properties;
use resources::{Declared, Standing};
use scope::Scope;

/// The project's template.
pub const PROJECT_TEMPLATE: &str = include_str!("../../../../template.yaml");

/// Where and how the template is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The stack's name.
    pub stack: String,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// Parameters that differ from their defaults.
    pub parameters: BTreeMap<String, String>,
}

impl Deployment {
    /// A deployment in the region and account that the embedded emulators answer for, with default parameters.
    #[must_use]
    pub fn local(stack: &str) -> Self {
        Self {
            stack: stack.to_owned(),
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            parameters: BTreeMap::new(),
        }
    }

    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        match name {
            "AWS::StackName" => Some(self.stack.clone()),
            "AWS::Region" => Some(self.region.clone()),
            "AWS::AccountId" => Some(self.account.clone()),
            "AWS::Partition" => Some("aws".to_owned()),
            "AWS::URLSuffix" => Some("amazonaws.com".to_owned()),
            _ => None,
        }
    }
}

/// Reads a template.
///
/// # Errors
///
/// Whatever the template holds that the local deployment does not understand, with its path.
pub fn read(text: &str, deployment: &Deployment) -> Result<StackPlan, TemplateError> {
    let sections = Sections::of(text)?;
    References::of(&sections.resources).refuse_circles()?;
    let mut scope = Scope {
        deployment,
        parameters: parameters::values(&sections.parameters, deployment)?,
        conditions: sections
            .conditions
            .iter()
            .map(|(name, node)| (name.clone(), node))
            .collect(),
        mappings: &sections.mappings,
        resources: BTreeMap::new(),
        elsewhere: BTreeSet::new(),
        passed_over: RefCell::default(),
    };
    let declared = declared(&scope, &sections)?;
    for (id, resource) in &declared {
        let id = (*id).to_owned();
        match resource.kind {
            Standing::Here(kind) => _ = scope.resources.insert(id, kind.attributes),
            Standing::Elsewhere(_) => _ = scope.elsewhere.insert(id),
        }
    }
    let mut plan = resources(&scope, &declared)?;
    plan.outputs = outputs(&scope, &sections)?;
    plan.passed_over = scope.passed_over.into_inner();
    Ok(plan)
}

/// The sections of a template that hold something to read.
#[derive(Default)]
struct Sections {
    parameters: BTreeMap<String, Node>,
    conditions: BTreeMap<String, Node>,
    mappings: BTreeMap<String, Node>,
    resources: BTreeMap<String, Node>,
    outputs: BTreeMap<String, Node>,
}

impl Sections {
    fn of(text: &str) -> Result<Self, TemplateError> {
        let Node::Map(template) = node::parse(serde_yaml_ng::from_str::<Value>(text)?, "")? else {
            return Err(TemplateError::Unexpected {
                path: "template".to_owned(),
                expected: "a map of sections",
            });
        };
        let mut sections = Self::default();
        for (name, node) in template {
            let section = match (name.as_str(), &node) {
                ("AWSTemplateFormatVersion" | "Description" | "Metadata", _) => continue,
                ("Transform", Node::Text(transform)) if transform == "AWS::Serverless-2016-10-31" => continue,
                ("Parameters", _) => &mut sections.parameters,
                ("Conditions", _) => &mut sections.conditions,
                ("Mappings", _) => &mut sections.mappings,
                ("Resources", _) => &mut sections.resources,
                ("Outputs", _) => &mut sections.outputs,
                _ => return Err(TemplateError::UnknownSection { path: name }),
            };
            let Node::Map(entries) = node else {
                return Err(TemplateError::Unexpected {
                    path: name,
                    expected: "a map",
                });
            };
            *section = entries;
        }
        Ok(sections)
    }
}

/// The resources that exist under the conditions of this deployment.
fn declared<'n>(
    scope: &Scope<'n>,
    sections: &'n Sections,
) -> Result<BTreeMap<&'n str, Declared<'n>>, TemplateError> {
    let mut declared = BTreeMap::new();
    for (id, node) in &sections.resources {
        let resource = resources::declared(scope, id, node)?;
        let exists = match resource.condition {
            Some(name) => scope.condition(name, &below("Resources", id), &[])?,
            None => true,
        };
        if exists {
            declared.insert(id.as_str(), resource);
        }
    }
    Ok(declared)
}

fn resources<'n>(
    scope: &Scope<'n>,
    declared: &BTreeMap<&'n str, Declared<'n>>,
) -> Result<StackPlan, TemplateError> {
    let mut plan = StackPlan {
        deployment: scope.deployment.clone(),
        tables: Vec::new(),
        queues: Vec::new(),
        keys: Vec::new(),
        buckets: Vec::new(),
        roles: Vec::new(),
        functions: Vec::new(),
        outputs: BTreeMap::new(),
        passed_over: BTreeMap::new(),
    };
    for (id, resource) in declared {
        let kind = match resource.kind {
            Standing::Here(kind) => kind,
            Standing::Elsewhere(reason) => {
                scope
                    .passed_over
                    .borrow_mut()
                    .insert(below("Resources", id), reason);
                continue;
            }
        };
        let path = format!("Resources.{id}.Properties");
        let properties = match resource.properties {
            Some(node) => Properties::of(scope, path, node)?,
            None => Properties::none(scope, path),
        };
        (kind.read)(id, properties, &mut plan)?;
    }
    Ok(plan)
}

fn outputs<'n>(scope: &Scope<'n>, sections: &'n Sections) -> Result<BTreeMap<String, Text>, TemplateError> {
    let mut outputs = BTreeMap::new();
    for (name, node) in &sections.outputs {
        let mut output = Properties::of(scope, below("Outputs", name), node)?;
        let exists = match output.known("Condition")? {
            Some(condition) => scope.condition(&condition, &output.path_of("Condition"), &[])?,
            None => true,
        };
        let value = output.take("Value");
        let value = output.required("Value", value)?;
        let path = output.path_of("Value");
        output.pass_over(&[
            ("Description", "for people to read"),
            ("Export", "there is no other stack here"),
        ]);
        output.finish()?;
        if !exists {
            continue;
        }
        match scope.text(value, &path) {
            Ok(text) => _ = outputs.insert(name.clone(), text),
            Err(TemplateError::Elsewhere { path, .. }) => {
                scope
                    .passed_over
                    .borrow_mut()
                    .insert(path, "what it names stands on AWS alone");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(outputs)
}
