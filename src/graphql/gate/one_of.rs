//! Input objects of which exactly one field is to be given. The compiler takes any number.

use apollo_compiler::{
    Name, Node, Schema,
    ast::{Type, Value, VariableDefinition},
    executable::{ExecutableDocument, Selection, SelectionSet},
    parser::SourceSpan,
    response::JsonValue,
    schema::{ExtendedType, InputObjectType},
};

type Invalid = (String, Option<SourceSpan>);

/// Looks at what a document's arguments say themselves.
pub(super) fn document(schema: &Schema, document: &ExecutableDocument) -> Result<(), Invalid> {
    for operation in document.operations.iter() {
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                literal(schema, &variable.ty, default, &operation.variables)?;
            }
        }
        // Variables of fragments are those of the operations that spread them. That each of them fits is rarely in
        // question, and seen when its value is.
        set(schema, &operation.selection_set, &operation.variables)?;
    }
    for fragment in document.fragments.values() {
        set(schema, &fragment.selection_set, &[])?;
    }
    Ok(())
}

fn set(schema: &Schema, selections: &SelectionSet, variables: &[Node<VariableDefinition>]) -> Result<(), Invalid> {
    for selection in &selections.selections {
        match selection {
            Selection::Field(field) => {
                for argument in &field.arguments {
                    let definition = field.definition.argument_by_name(&argument.name);
                    if let Some(definition) = definition {
                        literal(schema, &definition.ty, &argument.value, variables)?;
                    }
                }
                set(schema, &field.selection_set, variables)?;
            }
            Selection::InlineFragment(fragment) => set(schema, &fragment.selection_set, variables)?,
            Selection::FragmentSpread(_) => {}
        }
    }
    Ok(())
}

fn literal(
    schema: &Schema,
    ty: &Type,
    value: &Node<Value>,
    variables: &[Node<VariableDefinition>],
) -> Result<(), Invalid> {
    match &**value {
        Value::List(items) => {
            let inner = if ty.is_list() { ty.item_type() } else { ty };
            items
                .iter()
                .try_for_each(|item| literal(schema, inner, item, variables))
        }
        Value::Object(fields) => {
            let Some(object) = object(schema, ty) else {
                return Ok(());
            };
            if is_one_of(object) {
                let [(_, one)] = fields.as_slice() else {
                    return Err((exactly_one(&object.name), value.location()));
                };
                let nullable = |name: &Name| {
                    let variable = variables.iter().find(|variable| variable.name == *name);
                    variable.is_some_and(|variable| !variable.ty.is_non_null())
                };
                match &**one {
                    Value::Null => return Err((exactly_one(&object.name), one.location())),
                    Value::Variable(name) if nullable(name) => {
                        let message = format!(
                            "the variable ${name} has to be of a type that can't be null: it is the one field of {}",
                            object.name
                        );
                        return Err((message, one.location()));
                    }
                    _ => {}
                }
            }
            fields
                .iter()
                .try_for_each(|(name, value)| match object.fields.get(name) {
                    Some(field) => literal(schema, &field.ty, value, variables),
                    None => Ok(()),
                })
        }
        _ => Ok(()),
    }
}

/// Looks at a variable's value.
pub(super) fn value(schema: &Schema, ty: &Type, json: &JsonValue) -> Result<(), String> {
    match json {
        JsonValue::Array(items) => {
            let inner = if ty.is_list() { ty.item_type() } else { ty };
            items.iter().try_for_each(|item| value(schema, inner, item))
        }
        JsonValue::Object(fields) => {
            let Some(object) = object(schema, ty) else {
                return Ok(());
            };
            if is_one_of(object) && (fields.len() != 1 || fields.values().any(JsonValue::is_null)) {
                return Err(exactly_one(&object.name));
            }
            fields
                .iter()
                .try_for_each(|(name, json)| match object.fields.get(name.as_str()) {
                    Some(field) => value(schema, &field.ty, json),
                    None => Ok(()),
                })
        }
        _ => Ok(()),
    }
}

fn object<'s>(schema: &'s Schema, ty: &Type) -> Option<&'s InputObjectType> {
    match schema.types.get(ty.inner_named_type())? {
        ExtendedType::InputObject(object) => Some(object),
        _ => None,
    }
}

fn is_one_of(object: &InputObjectType) -> bool {
    object.directives.has("oneOf")
}

fn exactly_one(name: &Name) -> String {
    format!("exactly one field of {name} is to be given, and not null")
}
